// Reading and writing what arguments point at.

import Memory
import Primitives

extension SystemCalls {
    @inline(__always)
    static func load<T: BitwiseCopyable>(
        _ type: T.Type, from address: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> T { try UserMemory.load(UserPointer<T>(address), task) }

    @inline(__always)
    static func store<T: BitwiseCopyable>(
        _ value: T, to address: UInt, _ task: borrowing TaskContext
    ) throws(Errno) { try UserMemory.store(value, to: UserPointer<T>(address), task) }

    /// Fills a structure that grows with the kernel's version (`copy_struct_from_user`): `size` is what the program
    /// knows of it. What the kernel does not know must be zero, else `.argumentListTooLong`.
    static func loadStructure<T: BitwiseCopyable>(
        _ structure: inout T, from address: UInt, size: Int, _ task: borrowing TaskContext
    ) throws(Errno) {
        let known = MemoryLayout<T>.size
        try unsafe withUnsafeMutableBytes(of: &structure) { bytes throws(Errno) in
            // The first bytes of the structure, which is made of plain numbers.
            var part = unsafe MutableSpan(
                _unsafeElements: UnsafeMutableBufferPointer(
                    start: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: min(size, known)))
            try UserMemory.copyIn(from: address, into: &part, task)
        }
        var place = known
        while place < size {
            guard try load(UInt8.self, from: address &+ UInt(bitPattern: place), task) == 0 else {
                throw .argumentListTooLong
            }
            place += 1
        }
    }

    /// Writes the first `size` bytes of a structure.
    static func storeStructure<T: BitwiseCopyable>(
        _ structure: T, to address: UInt, size: Int, _ task: borrowing TaskContext
    ) throws(Errno) {
        try unsafe withUnsafeBytes(of: structure) { bytes throws(Errno) in
            // The first bytes of the structure, which is made of plain numbers.
            let part = unsafe Span(
                _unsafeElements: UnsafeBufferPointer(
                    start: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    count: min(size, MemoryLayout<T>.size)))
            try UserMemory.copyOut(part, to: address, task)
        }
    }
}
