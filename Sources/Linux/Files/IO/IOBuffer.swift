// Where a read puts its bytes and a write takes them from: memory of the program or of the kernel, in one
// or several pieces (readv(2)).
//
// Invariant: `remaining` is the sum of what is left in the current piece and of the pieces after it.

import Memory
import Primitives

/// A piece of memory that a program named (`struct iovec`).
public struct IOVector: Sendable {
    public let base: UInt
    public let count: Int

    public init(base: UInt, count: Int) {
        self.base = base
        self.count = count
    }
}

/// The destination of a read or the source of a write, used up from front to back.
@safe public struct IOBuffer: ~Copyable {
    /// Next byte of the current piece.
    private var cursor: UInt
    /// Bytes left in the current piece.
    private var left: Int
    /// Bytes left in all.
    public private(set) var remaining: Int
    /// In kernel memory, which the maker keeps alive; else in the program's.
    private let isKernel: Bool
    private let pieces: [IOVector]
    private var nextPiece = 0

    /// Kernel memory that stays where it is as long as the buffer lives.
    public init(kernel memory: UnsafeMutableRawBufferPointer) {
        cursor = UInt(bitPattern: memory.baseAddress)
        left = memory.count
        remaining = memory.count
        isKernel = true
        pieces = []
    }

    /// Memory of the program, whatever it is.
    @inline(__always)
    public init(user address: UInt, count: Int) {
        cursor = address
        left = count
        remaining = count
        isKernel = false
        pieces = []
    }

    /// Several pieces of memory of the program, `total` bytes together.
    init(user pieces: [IOVector], total: Int) {
        cursor = 0
        left = 0
        remaining = total
        isKernel = false
        self.pieces = pieces
    }

    public var isEmpty: Bool { remaining == 0 }

    /// At most `count` bytes from here on.
    public mutating func shorten(to count: Int) { remaining = min(remaining, count) }

    /// Moves on by `count` bytes, at most those of the current piece.
    @inline(__always)
    private mutating func advance(_ count: Int) {
        cursor &+= UInt(bitPattern: count)
        left &-= count
        remaining &-= count
    }

    /// Makes the next piece that is not empty the current one.
    @inline(__always)
    private mutating func nextPieceIfNeeded() {
        while left == 0, nextPiece < pieces.count {
            cursor = pieces[nextPiece].base
            left = pieces[nextPiece].count
            nextPiece &+= 1
        }
    }

    /// Puts as many of `bytes` as there is room for; returns how many. Throws `badAddress` only when not
    /// a single byte could be put. May sleep (page in).
    @inline(__always)
    public mutating func put(_ bytes: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Int {
        try unsafe bytes.withUnsafeBytes { bytes throws(Errno) in try unsafe put(from: bytes, task) }
    }

    /// Takes bytes until `bytes` is full or nothing is left; returns how many. Throws as `put` does.
    @inline(__always)
    public mutating func take(
        into bytes: inout MutableSpan<UInt8>, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try unsafe bytes.withUnsafeMutableBytes { bytes throws(Errno) in try unsafe take(to: bytes, task) }
    }

    /// `put` of raw kernel memory that nobody changes meanwhile.
    @inline(__always)
    mutating func put(from bytes: UnsafeRawBufferPointer, _ task: borrowing TaskContext) throws(Errno) -> Int
    {
        let wanted = min(bytes.count, remaining)
        return try transfer(wanted) { (cursor, done, count, isKernel) in
            // Inside `bytes`: done + count is at most its count.
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<(done &+ count)])
            if isKernel { return unsafe Self.copyKernel(to: cursor, part) }
            return UserMemory.write(unsafe Span<UInt8>(_unsafeBytes: part), to: cursor, task)
        }
    }

    /// `take` to raw kernel memory that nobody else uses meanwhile.
    @inline(__always)
    mutating func take(
        to bytes: UnsafeMutableRawBufferPointer, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let wanted = min(bytes.count, remaining)
        return try transfer(wanted) { (cursor, done, count, isKernel) in
            // Inside `bytes`: done + count is at most its count.
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done..<(done &+ count)])
            if isKernel { return unsafe Self.copyKernel(from: cursor, part) }
            var span = unsafe MutableSpan<UInt8>(_unsafeBytes: part)
            return UserMemory.read(from: cursor, into: &span, task)
        }
    }

    /// Puts bytes of a frame, of which the caller has a count; `offset + count` lies inside it.
    @inline(__always)
    public mutating func put(
        _ frame: Frame, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try transfer(min(count, remaining)) { (cursor, done, count, isKernel) in
            guard isKernel else {
                return UserMemory.write(frame: frame, offset: offset &+ done, count: count, to: cursor, task)
            }
            // Inside the frame, as the caller says.
            let part = unsafe UnsafeRawBufferPointer(start: frame.pointer + offset + done, count: count)
            return unsafe Self.copyKernel(to: cursor, part)
        }
    }

    /// Takes bytes into a frame that the caller may write to; `offset + count` lies inside it.
    @inline(__always)
    public mutating func take(
        into frame: Frame, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try transfer(min(count, remaining)) { (cursor, done, count, isKernel) in
            guard isKernel else {
                return UserMemory.read(from: cursor, frame: frame, offset: offset &+ done, count: count, task)
            }
            // Inside the frame, as the caller says.
            let part = unsafe UnsafeMutableRawBufferPointer(
                start: frame.pointer + offset + done, count: count)
            return unsafe Self.copyKernel(from: cursor, part)
        }
    }

    /// Puts zeros.
    public mutating func putZeros(_ count: Int, _ task: borrowing TaskContext) throws(Errno) -> Int {
        try transfer(min(count, remaining)) { (cursor, _, count, isKernel) in
            if isKernel { return Self.clearKernel(cursor, count) }
            do throws(Errno) {
                try UserMemory.clear(cursor, count: count, task)
                return count
            } catch { return 0 }
        }
    }

    /// Skips bytes without touching them.
    public mutating func skip(_ count: Int) {
        _ = try? transfer(min(count, remaining)) { (_, _, count, _) in count }
    }

    /// Moves on by `wanted` bytes, piece by piece; `copy` gets address, bytes done before, count, and whether it is
    /// kernel memory, and returns how many bytes it managed. EFAULT if not one byte was.
    @inline(__always)
    private mutating func transfer(
        _ wanted: Int, _ copy: (UInt, Int, Int, Bool) -> Int
    ) throws(Errno) -> Int {
        var done = 0
        while done < wanted {
            nextPieceIfNeeded()
            let count = min(left, wanted &- done)
            guard count > 0 else { break }
            let copied = copy(cursor, done, count, isKernel)
            advance(copied)
            done &+= copied
            if copied < count { break }
        }
        if done == 0, wanted > 0 { throw .badAddress }
        return done
    }

    // The maker of a kernel buffer keeps its memory alive, and pieces lie inside it.

    @inline(__always)
    private static func copyKernel(to cursor: UInt, _ source: UnsafeRawBufferPointer) -> Int {
        guard let destination = unsafe UnsafeMutableRawPointer(bitPattern: cursor),
            let base = source.baseAddress
        else { return 0 }
        unsafe destination.copyMemory(from: base, byteCount: source.count)
        return source.count
    }

    @inline(__always)
    private static func copyKernel(from cursor: UInt, _ destination: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = unsafe UnsafeRawPointer(bitPattern: cursor), let base = destination.baseAddress
        else { return 0 }
        unsafe base.copyMemory(from: source, byteCount: destination.count)
        return destination.count
    }

    private static func clearKernel(_ cursor: UInt, _ count: Int) -> Int {
        guard let destination = unsafe UnsafeMutableRawPointer(bitPattern: cursor) else { return 0 }
        unsafe destination.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        return count
    }
}
