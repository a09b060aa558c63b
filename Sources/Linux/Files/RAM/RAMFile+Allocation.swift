// Reserving pages and making holes (fallocate(2)).

import Memory
import Primitives

extension RAMFile {
    /// The mutex is held; `offset` and `count` are not below zero and their sum is a valid size.
    func allocate(
        _ mode: AllocationMode, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) {
        if mode.contains(.punchHole) { return try punchHole(offset, offset &+ count, task) }
        guard mode.isSubset(of: .keepSize) else { throw .notSupported }
        let end = offset &+ count
        guard end <= Self.maximumSize else { throw .fileTooLarge }
        for page in (offset >> 12)..<((end &+ 4095) >> 12) where pages.nextResident(from: page) != page {
            Frames.release(try pages.newFrame(at: page))
        }
        if !mode.contains(.keepSize), end > byteSize { try truncate(to: end, task) } else { touchModified() }
    }

    private func punchHole(_ start: Int, _ end: Int, _ task: borrowing TaskContext) throws(Errno) {
        let first = (start &+ 4095) >> 12
        let last = end >> 12
        if start & 4095 != 0 { clear(start, min(end, first << 12)) }
        if end & 4095 != 0, last >= first { clear(max(last << 12, start), end) }
        if first < last { try pages.punchHole(first, last, task) }
        touchModified()
    }

    /// Clears bytes of one page.
    private func clear(_ start: Int, _ end: Int) {
        guard start < end, let frame = pages.residentFrame(at: start >> 12) else { return }
        defer { Frames.release(frame) }
        // Both lie in the page, of which this function has a count.
        unsafe (frame.pointer + (start & 4095)).initializeMemory(
            as: UInt8.self, repeating: 0, count: end &- start)
    }
}

/// Modes of fallocate(2).
public struct AllocationMode: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let keepSize = AllocationMode(rawValue: 1)
    public static let punchHole = AllocationMode(rawValue: 2)
}
