// Reading and writing the running program's memory. Pages that are not there are brought in, so all of this
// may sleep and is for task context alone; it must not be called with a spin lock held. An address the program has
// no right to gives `.badAddress`, whatever it is.
//
// Cost: about 25 instructions for a word, and one for each eight bytes of a longer piece.

import Machine
import Primitives

public enum UserMemory {
    /// Whether `bytes` bytes at `address` lie in the user's part of the address space; says nothing about what is there.
    @inline(__always)
    public static func isInRange(_ address: UInt, _ bytes: Int) -> Bool {
        let (end, wraps) = address.addingReportingOverflow(UInt(bitPattern: bytes))
        return !wraps && end <= KernelLayout.userEnd
    }

    @inline(__always)
    private static func check(_ address: UInt, _ bytes: Int) throws(Errno) {
        #if APUS_DEBUG_LOCKS
            Lockdep.mightSleep()
        #endif
        guard isInRange(address, bytes) else { throw .badAddress }
    }

    // MARK: One value

    @inline(__always)
    public static func load<T: BitwiseCopyable>(
        _ pointer: UserPointer<T>, _ task: borrowing TaskContext
    ) throws(Errno) -> T {
        let size = MemoryLayout<T>.size
        try check(pointer.address, size)
        if size == 1 || size == 2 || size == 4 || size == 8 {
            guard let word = UserAccess.load(pointer.address, width: size) else { throw .badAddress }
            // The low bytes of the word are the value's; any bits are a value of a C type.
            return unsafe withUnsafeBytes(of: word) { unsafe $0.loadUnaligned(as: T.self) }
        }
        return try unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) {
            (buffer) throws(Errno) -> T in
            let base = unsafe UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped)
            guard unsafe UserAccess.copyIn(base, from: pointer.address, size) == 0 else { throw .badAddress }
            return unsafe base.load(as: T.self)
        }
    }

    @inline(__always)
    public static func store<T: BitwiseCopyable>(
        _ value: T, to pointer: UserPointer<T>, _ task: borrowing TaskContext
    ) throws(Errno) {
        let size = MemoryLayout<T>.size
        try check(pointer.address, size)
        let done: Bool
        if size == 1 || size == 2 || size == 4 || size == 8 {
            var word: UInt64 = 0
            // The value's bytes become the low ones of the word.
            unsafe withUnsafeMutableBytes(of: &word) { unsafe $0.storeBytes(of: value, as: T.self) }
            done = UserAccess.store(word, pointer.address, width: size)
        } else {
            done = unsafe withUnsafeBytes(of: value) {
                unsafe UserAccess.copyOut($0.baseAddress.unsafelyUnwrapped, to: pointer.address, size) == 0
            }
        }
        guard done else { throw .badAddress }
    }

    /// Writes a structure from where it was built, without a copy of it.
    @inline(__always)
    public static func store<T: BitwiseCopyable>(
        from value: inout T, to pointer: UserPointer<T>, _ task: borrowing TaskContext
    ) throws(Errno) {
        let size = MemoryLayout<T>.size
        try check(pointer.address, size)
        let left = unsafe withUnsafeMutableBytes(of: &value) {
            unsafe UserAccess.copyOut($0.baseAddress.unsafelyUnwrapped, to: pointer.address, size)
        }
        guard left == 0 else { throw .badAddress }
    }

    /// Reads a structure and lends it to `body`, without a further copy of it.
    @inline(__always)
    public static func withLoaded<T: BitwiseCopyable, R>(
        _ pointer: UserPointer<T>, _ task: borrowing TaskContext, _ body: (inout T) throws(Errno) -> R
    ) throws(Errno) -> R {
        let size = MemoryLayout<T>.size
        try check(pointer.address, size)
        return try unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) {
            (buffer) throws(Errno) -> R in
            let base = unsafe buffer.baseAddress.unsafelyUnwrapped
            guard unsafe UserAccess.copyIn(base, from: pointer.address, size) == 0 else { throw .badAddress }
            // All of it has been written, and any bits are a value of a C type.
            return try unsafe body(&base.pointee)
        }
    }

    /// Replaces the word at `pointer` by `desired` if it is `expected`, in one atomic step; returns what was there.
    /// `.invalid` if the address is not a multiple of four.
    public static func compareExchange(
        _ pointer: UserPointer<UInt32>, expected: UInt32, desired: UInt32, _ task: borrowing TaskContext
    ) throws(Errno) -> UInt32 {
        guard pointer.address & 3 == 0 else { throw .invalid }
        try check(pointer.address, 4)
        guard let old = UserAccess.compareExchange(pointer.address, expected: expected, desired: desired)
        else { throw .badAddress }
        return old
    }

    // MARK: Pieces

    /// Fills `bytes` from `address`; returns how many came before one could not be read.
    @inline(__always)
    public static func read(
        from address: UInt, into bytes: inout MutableSpan<UInt8>, _ task: borrowing TaskContext
    ) -> Int {
        let count = bytes.count
        guard isInRange(address, count) else { return 0 }
        let left = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe UserAccess.copyIn(base, from: address, count)
        }
        return count &- left
    }

    /// Writes `bytes` to `address`; returns how many were written before one could not be.
    @inline(__always)
    public static func write(_ bytes: Span<UInt8>, to address: UInt, _ task: borrowing TaskContext) -> Int {
        let count = bytes.count
        guard isInRange(address, count) else { return 0 }
        let left = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe UserAccess.copyOut(base, to: address, count)
        }
        return count &- left
    }

    /// Fills all of `bytes` from `address`.
    @inline(__always)
    public static func copyIn(
        from address: UInt, into bytes: inout MutableSpan<UInt8>, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard read(from: address, into: &bytes, task) == bytes.count else { throw .badAddress }
    }

    /// Writes all of `bytes` to `address`.
    @inline(__always)
    public static func copyOut(
        _ bytes: Span<UInt8>, to address: UInt, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard write(bytes, to: address, task) == bytes.count else { throw .badAddress }
    }

    /// The `count` bytes at `address`. The caller has a limit for `count`.
    public static func bytes(
        at address: UInt, count: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> [UInt8] {
        guard count >= 0 else { throw .invalid }
        try check(address, count)
        var failed = false
        let result = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress, count > 0 else { return }
            failed = unsafe UserAccess.copyIn(base, from: address, count) != 0
            initialized = failed ? 0 : count
        }
        if failed { throw .badAddress }
        return result
    }

    /// Clears `count` bytes at `address`.
    public static func clear(_ address: UInt, count: Int, _ task: borrowing TaskContext) throws(Errno) {
        guard count >= 0 else { throw .invalid }
        try check(address, count)
        guard UserAccess.clear(address, count) == 0 else { throw .badAddress }
    }

    // MARK: Strings

    /// The bytes at `address` up to the first zero byte, without it. At most `limit` bytes with the zero byte (`PATH_MAX`
    /// counts it); `tooLong` is thrown when there is no zero byte among them.
    public static func string(
        at address: UInt, limit: Int, tooLong: Errno = .nameTooLong, _ task: borrowing TaskContext
    ) throws(Errno) -> [UInt8] {
        guard address < KernelLayout.userEnd else { throw .badAddress }
        let room = Int(KernelLayout.userEnd &- address)
        let most = min(limit, room)
        let short = min(most, 256)
        var result = try piece(at: address, short)
        if result.count == short, short < most {
            // Longer than most strings are: all of it again, into a place large enough.
            result = try piece(at: address, most)
        }
        guard result.count < most else { throw most == limit ? tooLong : .badAddress }
        return result
    }

    /// Up to the first zero byte, `count` bytes at most.
    private static func piece(at address: UInt, _ count: Int) throws(Errno) -> [UInt8] {
        var copied = 0
        let result = unsafe withUnsafeTemporaryAllocation(byteCount: max(count, 1), alignment: 8) { buffer in
            copied = unsafe UserAccess.copyString(buffer.baseAddress.unsafelyUnwrapped, from: address, count)
            return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[..<max(copied, 0)]))
        }
        guard copied >= 0 else { throw .badAddress }
        return result
    }

    // MARK: Frames

    /// Copies `count` bytes at `offset` of `frame` to `address`; returns how many were written. The caller has a count of
    /// the frame, and the range lies inside it.
    @inline(__always)
    public static func write(
        frame: Frame, offset: Int, count: Int, to address: UInt, _ task: borrowing TaskContext
    ) -> Int {
        precondition(offset >= 0 && count >= 0 && offset + count <= 4096)
        guard isInRange(address, count) else { return 0 }
        // Inside the frame, checked above.
        let left = unsafe UserAccess.copyOut(frame.pointer + offset, to: address, count)
        return count &- left
    }

    /// Copies `count` bytes from `address` to `offset` of `frame`; returns how many were read. As above.
    @inline(__always)
    public static func read(
        from address: UInt, frame: Frame, offset: Int, count: Int, _ task: borrowing TaskContext
    ) -> Int {
        precondition(offset >= 0 && count >= 0 && offset + count <= 4096)
        guard isInRange(address, count) else { return 0 }
        // Inside the frame, checked above.
        let left = unsafe UserAccess.copyIn(frame.pointer + offset, from: address, count)
        return count &- left
    }
}
