// Reading and writing: read, write and their kin with offsets and several pieces.

import Machine
import Memory
import Primitives
import Tasks

extension SystemCalls {
    /// The most that one call moves (MAX_RW_COUNT).
    private static let transferLimit = 0x7fff_f000

    static func read(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard file.isReadable else { throw .badFileDescriptor }
        var buffer = try buffer(arguments.a1, arguments.a2)
        return try file.readOn(into: &buffer, task)
    }

    static func write(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard file.isWritable else { throw .badFileDescriptor }
        var buffer = try buffer(arguments.a1, arguments.a2)
        return try file.writeOn(from: &buffer, task)
    }

    static func pread64(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard arguments.a3.asInt >= 0 else { throw .invalid }
        guard file.isReadable else { throw .badFileDescriptor }
        var buffer = try buffer(arguments.a1, arguments.a2)
        return try read(file, &buffer, at: arguments.a3.asInt, task)
    }

    static func pwrite64(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard arguments.a3.asInt >= 0 else { throw .invalid }
        guard file.isWritable else { throw .badFileDescriptor }
        var buffer = try buffer(arguments.a1, arguments.a2)
        return try write(file, &buffer, at: arguments.a3.asInt, task)
    }

    static func readv(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard file.isReadable else { throw .badFileDescriptor }
        var buffer = try vectors(arguments.a1, arguments.a2, task)
        return try file.readOn(into: &buffer, task)
    }

    static func writev(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard file.isWritable else { throw .badFileDescriptor }
        var buffer = try vectors(arguments.a1, arguments.a2, task)
        return try file.writeOn(from: &buffer, task)
    }

    static func preadv(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try readVectors(arguments, at: arguments.a3.asInt, task)
    }

    static func pwritev(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try writeVectors(arguments, at: arguments.a3.asInt, task)
    }

    /// Flags that say how to wait or to reach a disk (RWF_HIPRI, DSYNC, SYNC) change nothing; RWF_NOWAIT and RWF_APPEND
    /// are not supported.
    private static let harmlessFlags: UInt32 = 7

    static func preadv2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        guard arguments.a5.asUInt32 & ~harmlessFlags == 0 else { throw .notSupported }
        return arguments.a3.asInt == -1
            ? try readv(task, arguments) : try readVectors(arguments, at: arguments.a3.asInt, task)
    }

    static func pwritev2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        guard arguments.a5.asUInt32 & ~harmlessFlags == 0 else { throw .notSupported }
        return arguments.a3.asInt == -1
            ? try writev(task, arguments) : try writeVectors(arguments, at: arguments.a3.asInt, task)
    }

    private static func readVectors(
        _ arguments: SystemCallArguments, at offset: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard offset >= 0 else { throw .invalid }
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard file.isReadable else { throw .badFileDescriptor }
        var buffer = try vectors(arguments.a1, arguments.a2, task)
        return try read(file, &buffer, at: offset, task)
    }

    private static func writeVectors(
        _ arguments: SystemCallArguments, at offset: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard offset >= 0 else { throw .invalid }
        let file = try LinuxTask.file(arguments.a0.asInt32)
        guard file.isWritable else { throw .badFileDescriptor }
        var buffer = try vectors(arguments.a1, arguments.a2, task)
        return try write(file, &buffer, at: offset, task)
    }

    private static func read(
        _ file: File, _ buffer: inout IOBuffer, at offset: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard file.isSeekable else { throw .illegalSeek }
        var position = offset
        return try file.read(into: &buffer, at: &position, task)
    }

    private static func write(
        _ file: File, _ buffer: inout IOBuffer, at offset: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard file.isSeekable else { throw .illegalSeek }
        var position = offset
        return try file.write(from: &buffer, at: &position, task)
    }

    // MARK: Buffers

    /// The memory a program names for a transfer.
    @inline(__always)
    private static func buffer(_ address: UInt, _ count: UInt) throws(Errno) -> IOBuffer {
        // All of it must be the program's, also what is beyond the most that is moved.
        guard UserMemory.isInRange(address, count.asInt) else { throw .badAddress }
        return IOBuffer(user: address, count: min(count.asInt, transferLimit))
    }

    /// The pieces that an array of `struct iovec` names.
    static func vectors(
        _ address: UInt, _ count: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> IOBuffer {
        guard count <= 1024 else { throw .invalid }
        if count == 1 {
            let pair = try UserPointer<Vector>(address).load(task)
            guard pair.count.asInt >= 0 else { throw .invalid }
            return try buffer(pair.base, min(pair.count, UInt(transferLimit)))
        }
        var pieces: [IOVector] = []
        pieces.reserveCapacity(Int(count))
        var total = 0
        for index in 0..<Int(count) {
            let pair = try UserPointer<Vector>(address)[index].load(task)
            guard pair.count.asInt >= 0 else { throw .invalid }
            let length = min(pair.count.asInt, transferLimit &- total)
            guard UserMemory.isInRange(pair.base, length) else { throw .badAddress }
            total &+= length
            if length > 0 { pieces.append(IOVector(base: pair.base, count: length)) }
        }
        return IOBuffer(user: pieces, total: total)
    }

    /// `struct iovec`.
    private struct Vector: BitwiseCopyable {
        let base: UInt
        let count: UInt
    }
}

extension File {
    /// Reads at the file's position and moves it on.
    @inline(__always)
    final func readOn(into buffer: inout IOBuffer, _ task: borrowing TaskContext) throws(Errno) -> Int {
        guard isSeekable else {
            var none = 0
            return try read(into: &buffer, at: &none, task)
        }
        positionMutex.lock(task)
        defer { positionMutex.unlock() }
        var at = position
        let count = try read(into: &buffer, at: &at, task)
        position = at
        return count
    }

    /// Writes at the file's position and moves it on.
    @inline(__always)
    final func writeOn(from buffer: inout IOBuffer, _ task: borrowing TaskContext) throws(Errno) -> Int {
        guard isSeekable else {
            var none = 0
            return try write(from: &buffer, at: &none, task)
        }
        positionMutex.lock(task)
        defer { positionMutex.unlock() }
        var at = position
        let count = try write(from: &buffer, at: &at, task)
        position = at
        return count
    }
}
