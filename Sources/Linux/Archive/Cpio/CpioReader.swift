// Reads cpio archives in the `newc` format, one after the other, from pieces of any size.
//
// A header, a name and the bytes of a file may be cut anywhere between two pieces. Between an archive's last
// entry (`TRAILER!!!`) and the next archive there may be zeros. Headers and names are collected; the
// bytes of files go to the receiver as they come.
//
// Invariant: `offset` counts all bytes read, and entries begin at multiples of four of it.

import Primitives

/// Who stores what an archive holds. Calls for an entry: `begin`, then `data` until all its bytes came, then `end`.
class CpioReceiver {
    func begin(_ entry: CpioEntry, _ name: Span<UInt8>, _ task: borrowing TaskContext) throws(CpioProblem) {}
    func data(_ bytes: UnsafeRawBufferPointer, _ task: borrowing TaskContext) throws(CpioProblem) {}
    func end(_ task: borrowing TaskContext) throws(CpioProblem) {}
    /// An archive is complete: hard links do not reach beyond it.
    func archiveEnded() {}
}

/// Reads archives from pieces.
struct CpioReader: ~Copyable {
    /// Linux's limit of a path name, with the zero.
    static let nameLimit = 4096

    private enum State { case betweenArchives, header, name, data, padding }

    private let receiver: CpioReceiver
    private var state = State.betweenArchives
    /// Bytes read in all.
    private var offset = 0
    /// Where the entry at hand begins, for messages.
    private(set) var entryOffset = 0
    private var header = InlineArray<110, UInt8>(repeating: 0)
    private var name: [UInt8] = []
    private var entry = CpioEntry()
    /// Bytes still to come in this state.
    private var left = 0
    private var sum: UInt32 = 0
    /// After the padding comes a header, not the gap between archives.
    private var isInArchive = false

    init(_ receiver: CpioReceiver) { self.receiver = receiver }

    /// Nothing is missing if the input ends here.
    var isComplete: Bool { state == .betweenArchives || state == .padding && !isInArchive }

    /// Reads a piece to its end or, if `untilArchiveEnds`, to the end of an archive; returns how many bytes were read.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, untilArchiveEnds: Bool = false, _ task: borrowing TaskContext
    ) throws(CpioProblem) -> Int {
        var at = 0
        while at < bytes.count {
            let before = at
            at = try unsafe step(bytes, at, task)
            offset &+= at &- before
            if state == .betweenArchives, untilArchiveEnds { return at }
        }
        return at
    }

    /// Does what the state says with the bytes from `at` on; returns where it stopped.
    private mutating func step(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ task: borrowing TaskContext
    ) throws(CpioProblem) -> Int {
        switch state {
        case .betweenArchives:
            guard unsafe bytes[at] != 0 else { return at &+ 1 }
            guard offset & 3 == 0 else { throw CpioProblem("cpio header not at a multiple of four") }
            beginHeader(offset)
            return at
        case .header: return try unsafe readHeader(bytes, at)
        case .name: return try unsafe readName(bytes, at, task)
        case .data: return try unsafe readData(bytes, at, task)
        case .padding:
            let count = min(left, bytes.count &- at)
            left &-= count
            if left == 0 { endPadding(offset &+ count) }
            return at &+ count
        }
    }

    private mutating func endPadding(_ position: Int) {
        if isInArchive { beginHeader(position) } else { state = .betweenArchives }
    }

    private mutating func beginHeader(_ position: Int) {
        state = .header
        entryOffset = position
        isInArchive = true
        left = CpioEntry.size
    }

    private mutating func readHeader(_ bytes: UnsafeRawBufferPointer, _ at: Int) throws(CpioProblem) -> Int {
        let count = min(left, bytes.count &- at)
        for index in 0..<count { unsafe header[CpioEntry.size - left + index] = bytes[at &+ index] }
        left &-= count
        guard left == 0 else { return at &+ count }
        entry = try CpioEntry(header)
        guard entry.nameSize > 0, entry.nameSize <= Self.nameLimit else {
            throw CpioProblem("name in a cpio header too long or empty")
        }
        name.removeAll(keepingCapacity: true)
        state = .name
        left = Int(entry.nameSize)
        return at &+ count
    }

    private mutating func readName(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ task: borrowing TaskContext
    ) throws(CpioProblem) -> Int {
        let count = min(left, bytes.count &- at)
        for index in 0..<count { unsafe name.append(bytes[at &+ index]) }
        left &-= count
        guard left == 0 else { return at &+ count }
        guard name.removeLast() == 0 else { throw CpioProblem("name in a cpio archive does not end") }
        try beginEntry(after: offset &+ count, task)
        return at &+ count
    }

    private mutating func beginEntry(after position: Int, _ task: borrowing TaskContext) throws(CpioProblem) {
        if Self.isTrailer(name) {
            receiver.archiveEnded()
            isInArchive = false
            return pad(to: position)
        }
        try receiver.begin(entry, name.span, task)
        sum = 0
        guard entry.fileSize > 0 else {
            try receiver.end(task)
            return pad(to: position)
        }
        state = .data
        left = Int(entry.fileSize)
        // The padding of the name comes first.
        padding = (4 &- position & 3) & 3
    }

    /// Bytes of padding between a name and its file.
    private var padding = 0

    /// Skips `left` more bytes and up to the next multiple of four.
    private mutating func pad(to position: Int) {
        left = (4 &- position & 3) & 3
        if left > 0 { state = .padding } else { endPadding(position) }
    }

    private static func isTrailer(_ name: [UInt8]) -> Bool {
        let trailer: StaticString = "TRAILER!!!"
        guard name.count == trailer.utf8CodeUnitCount else { return false }
        for index in name.indices where unsafe name[index] != trailer.utf8Start[index] { return false }
        return true
    }

    private mutating func readData(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ task: borrowing TaskContext
    ) throws(CpioProblem) -> Int {
        if padding > 0 {
            let count = min(padding, bytes.count &- at)
            padding &-= count
            return at &+ count
        }
        let count = min(left, bytes.count &- at)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[at..<(at &+ count)])
        if entry.hasCheckSum { for index in 0..<count { unsafe sum &+= UInt32(part[index]) } }
        try unsafe receiver.data(part, task)
        left &-= count
        guard left == 0 else { return at &+ count }
        guard !entry.hasCheckSum || sum == entry.checkSum else {
            throw CpioProblem("check sum of a file does not match")
        }
        try receiver.end(task)
        pad(to: offset &+ count)
        return at &+ count
    }
}
