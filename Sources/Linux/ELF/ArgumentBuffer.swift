// The argument or environment strings of a program to be executed, on their way from the old address space to
// the new: in whole frames, since they may be megabytes, and frames can be refused where the heap cannot.

import Machine
import Memory
import Primitives

/// Strings one behind the other, each with its final zero.
struct ArgumentBuffer: ~Copyable {
    private var frames: [Frame] = []
    /// Bytes.
    private(set) var count: UInt = 0
    private(set) var stringCount = 0

    /// The longest string, with its zero (MAX_ARG_STRLEN).
    static let longestString: UInt = 131_072

    init() {}

    deinit { for frame in frames { Frames.free(frame) } }

    /// Appends the string at `address` of the running program. Throws `.argumentListTooLong` if it, or all of
    /// them, are longer than allowed.
    mutating func append(stringAt address: UInt, limit: UInt, _ task: borrowing TaskContext) throws(Errno) {
        let start = count
        var source = address
        while true {
            let offset = try reserve(limit: limit)
            // Not past the end of the source's page: what follows it may not be mapped.
            let room = min(pageSize - offset, pageSize - (source & (pageSize - 1)))
            let got = UserMemory.read(
                from: source, frame: frames[frames.count - 1], offset: Int(offset), count: Int(room), task)
            let (used, isEnd) = Self.scan(frames[frames.count - 1], Int(offset), got)
            count += UInt(used)
            source &+= UInt(used)
            guard count - start <= Self.longestString, count <= limit else { throw .argumentListTooLong }
            if isEnd {
                stringCount += 1
                return
            }
            guard got == Int(room) else { throw .badAddress }
        }
    }

    /// Appends bytes of the kernel's, which end with a zero.
    mutating func append(_ bytes: [UInt8], limit: UInt) throws(Errno) {
        for byte in bytes {
            let offset = try reserve(limit: limit)
            // Inside the last frame, which is this buffer's own.
            unsafe frames[frames.count - 1].pointer.storeBytes(
                of: byte, toByteOffset: Int(offset), as: UInt8.self)
            count += 1
        }
        stringCount += 1
    }

    /// Appends the strings of another buffer but its first.
    mutating func appendAllButFirst(of other: borrowing ArgumentBuffer, limit: UInt) throws(Errno) {
        var index: UInt = 0
        while index < other.count, other.byte(at: index) != 0 { index += 1 }
        index += 1
        while index < other.count {
            let offset = try reserve(limit: limit)
            // Inside the last frame, which is this buffer's own.
            unsafe frames[frames.count - 1].pointer.storeBytes(
                of: other.byte(at: index), toByteOffset: Int(offset), as: UInt8.self)
            count += 1
            index += 1
        }
        stringCount += max(other.stringCount - 1, 0)
    }

    /// Makes sure there is room for a byte; returns its offset in the last frame.
    private mutating func reserve(limit: UInt) throws(Errno) -> UInt {
        let offset = count & (pageSize - 1)
        guard offset == 0, count / pageSize == UInt(frames.count) else { return offset }
        guard count < limit else { throw .argumentListTooLong }
        guard let frame = Frames.allocate(use: .user) else { throw .noMemory }
        frames.append(frame)
        return 0
    }

    /// Bytes up to and with the first zero, or all of them.
    private static func scan(_ frame: Frame, _ offset: Int, _ count: Int) -> (used: Int, isEnd: Bool) {
        for index in 0..<count {
            // offset + count is at most a page.
            let byte = unsafe frame.pointer.load(fromByteOffset: offset + index, as: UInt8.self)
            if byte == 0 { return (index + 1, true) }
        }
        return (count, false)
    }

    /// Writes everything to `address` of the running program. Throws `.badAddress`.
    func write(to address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        var done: UInt = 0
        for frame in frames {
            let piece = min(pageSize, count - done)
            guard
                UserMemory.write(frame: frame, offset: 0, count: Int(piece), to: address &+ done, task)
                    == Int(piece)
            else { throw .badAddress }
            done += piece
        }
    }

    func byte(at index: UInt) -> UInt8 {
        // The caller stays below `count`.
        unsafe frames[Int(index / pageSize)].pointer.load(
            fromByteOffset: Int(index & (pageSize - 1)), as: UInt8.self)
    }

    /// A copy of the first bytes, for `/proc`.
    func prefix(_ limit: UInt) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(min(count, limit)))
        for index in 0..<min(count, limit) { bytes.append(byte(at: index)) }
        return bytes
    }
}
