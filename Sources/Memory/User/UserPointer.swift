// Addresses that user programs pass to system calls. They cannot be dereferenced, only read and written through
// functions that expect them to be anything at all.

import Machine
import Primitives

/// Where a user program says a `T` is. Any bit pattern; `T` is a C structure or integer.
public struct UserPointer<T: BitwiseCopyable>: Equatable, Sendable {
    public let address: UInt

    @inline(__always)
    public init(_ address: UInt) { self.address = address }

    @inline(__always)
    public var isNull: Bool { address == 0 }

    /// The place of element `index` of an array that begins here; wraps around, to be refused later.
    @inline(__always)
    public subscript(_ index: Int) -> UserPointer<T> {
        UserPointer(address &+ UInt(bitPattern: index &* MemoryLayout<T>.stride))
    }

    /// The same place, `bytes` further on, as something else.
    @inline(__always)
    public func advanced<U>(by bytes: Int, as type: U.Type = U.self) -> UserPointer<U> {
        UserPointer<U>(address &+ UInt(bitPattern: bytes))
    }

    /// Reads the value; `.badAddress` where the program has nothing readable. May sleep.
    @inline(__always)
    public func load(_ task: borrowing TaskContext) throws(Errno) -> T { try UserMemory.load(self, task) }

    /// Writes the value; `.badAddress` where the program has nothing writable. May sleep.
    @inline(__always)
    public func store(_ value: T, _ task: borrowing TaskContext) throws(Errno) {
        try UserMemory.store(value, to: self, task)
    }
}
