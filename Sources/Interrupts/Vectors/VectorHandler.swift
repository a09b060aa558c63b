// What runs when a vector's interrupt arrives: a function and a word for it, without context to count
// references of.

import Primitives

/// A handler of a vector: mark the function `@_noAllocation`, and `@Sendable` so that it needs no context.
/// The word is whatever the one who registered it wants to find there: an index, a port.
public struct VectorHandler: Sendable {
    public typealias Function = @convention(thin) @Sendable (borrowing HardInterruptContext, UInt) -> Void
    let function: Function
    let word: UInt

    public init(word: UInt = 0, _ function: Function) {
        self.function = function
        self.word = word
    }
}
