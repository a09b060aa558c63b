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

    public var isEmpty: Bool { remaining == 0 }

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
    mutating func put(from bytes: UnsafeRawBufferPointer, _ task: borrowing TaskContext) throws(Errno) -> Int
    {
        var done = 0
        while done < bytes.count {
            nextPieceIfNeeded()
            let count = min(left, bytes.count &- done)
            guard count > 0, let source = bytes.baseAddress else { break }
            // Inside `bytes`: done + count is at most its count.
            let copied = unsafe copyOut(source + done, count, task)
            advance(copied)
            done &+= copied
            if copied < count { break }
        }
        if done == 0, bytes.count > 0, remaining > 0 { throw .badAddress }
        return done
    }

    /// `take` to raw kernel memory that nobody else uses meanwhile.
    mutating func take(
        to bytes: UnsafeMutableRawBufferPointer, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var done = 0
        while done < bytes.count {
            nextPieceIfNeeded()
            let count = min(left, bytes.count &- done)
            guard count > 0, let destination = bytes.baseAddress else { break }
            // Inside `bytes`: done + count is at most its count.
            let copied = unsafe copyIn(destination + done, count, task)
            advance(copied)
            done &+= copied
            if copied < count { break }
        }
        if done == 0, bytes.count > 0, remaining > 0 { throw .badAddress }
        return done
    }

    /// Copies to the cursor, within the current piece; returns how many bytes got there.
    @inline(__always)
    private func copyOut(_ source: UnsafeRawPointer, _ count: Int, _ task: borrowing TaskContext) -> Int {
        guard let destination = unsafe UnsafeMutableRawPointer(bitPattern: cursor) else { return 0 }
        // The piece is kernel memory that the maker of the buffer keeps alive.
        unsafe destination.copyMemory(from: source, byteCount: count)
        return count
    }

    /// Copies from the cursor, within the current piece; returns how many bytes came.
    @inline(__always)
    private func copyIn(
        _ destination: UnsafeMutableRawPointer, _ count: Int, _ task: borrowing TaskContext
    ) -> Int {
        guard let source = unsafe UnsafeRawPointer(bitPattern: cursor) else { return 0 }
        // The piece is kernel memory that the maker of the buffer keeps alive.
        unsafe destination.copyMemory(from: source, byteCount: count)
        return count
    }
}
