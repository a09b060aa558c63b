// Handlers that let other interrupts in. They nest to a fixed depth on the CPU's interrupt stack; the one that would be
// deeper runs with interrupts off, as a critical one does.

import Machine
@_spi(ContextEntry) import Primitives

/// A handler of work that is urgent but not critical. Its storage lives until `dispose`.
@safe public struct NonCriticalHandler: Sendable {
    /// Called with interrupts on, unless too many are nested. Mark the function `@Sendable` and `@_noAllocation`.
    public typealias Function =
        @convention(thin) @Sendable (borrowing NonCriticalContext, UInt) -> IRQReturn

    /// How many hard interrupts may be nested, this one included (MAXIMUM_NESTING in entry.h).
    public static let maximumDepth: UInt32 = 4

    private struct Body {
        let function: Function
        let word: UInt
    }

    nonisolated(unsafe) private let body: UnsafeMutablePointer<Body>

    /// Task context or boot; allocates.
    public init(word: UInt = 0, _ function: Function) {
        unsafe body = .allocate(capacity: 1)
        unsafe body.initialize(to: Body(function: function, word: word))
    }

    /// What to request a line with.
    public func handler(_ name: StaticString) -> IRQHandler {
        IRQHandler(name, word: unsafe UInt(bitPattern: body)) { @Sendable context, word in
            Self.enter(context, word)
        }
    }

    /// Gives the storage back; the handler has been freed.
    public func dispose() { unsafe body.deallocate() }

    @_semantics("no_performance_analysis")
    private static func enter(_ context: borrowing HardInterruptContext, _ word: UInt) -> IRQReturn {
        // The word of a registered handler is the address of its body.
        let body = unsafe UnsafePointer<Body>(bitPattern: word).unsafelyUnwrapped.pointee
        let depth = (PreemptCount.value & PreemptCount.hardInterruptMask) / PreemptCount.hardInterrupt
        if depth < maximumDepth { InterruptFlag.enable() }
        let answer = body.function(NonCriticalContext(), body.word)
        InterruptFlag.disable()
        return answer
    }
}
