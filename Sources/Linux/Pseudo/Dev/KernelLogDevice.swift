// /dev/kmsg: the kernel log as records, and a way for programs to write to it.
//
// A read gives one record: `level,number,microseconds,-;text`, with bytes that are not printable as `\xNN`. A reader
// that was too slow gets EPIPE once and goes on at the oldest record (Documentation/ABI/testing/dev-kmsg).

import Primitives
import Tasks
import Time

final class KernelLogDriver: DeviceDriver, @unchecked Sendable {
    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File { KernelLogFile(inode, path, flags) }

    /// Boot only.
    static func register() {
        DeviceRegistry.register(
            .characterDevice, DeviceNumber(major: 1, minor: 11), name: "kmsg", permissions: 0o644,
            KernelLogDriver())
    }
}

final class KernelLogFile: File, @unchecked Sendable {
    private let reader = Mutex(KernelLogReader())
    /// How often a waiting reader looks: the log is written in contexts that cannot wake anybody.
    private static let period: UInt64 = 100_000_000
    private static let writeLimit = 992

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        while true {
            if let record = try nextRecord(task) {
                guard record.count <= buffer.remaining else { throw .invalid }
                return try buffer.put(record.span, task)
            }
            if isNonBlocking { throw .tryAgain }
            try Thread.sleep(until: .after(Self.period), task)
        }
    }

    private func nextRecord(_ task: borrowing TaskContext) throws(Errno) -> [UInt8]? {
        try reader.withLock(task) { reader throws(Errno) -> [UInt8]? in
            do throws(KernelLogReader.Overrun) {
                return try reader.next().map { Self.format($0) }
            } catch {
                throw .brokenPipe
            }
        }
    }

    static func format(_ record: KernelLogReader.Record) -> [UInt8] {
        var text: Text = "\(record.level),\(record.sequence),\(record.microseconds),-;"
        for byte in record.text {
            if byte < 32 || byte >= 127 || byte == 92 {
                text.add("\\x\(hex: byte, width: 2)")
            } else {
                text.add(byte: byte)
            }
        }
        text.add(byte: 10)
        return text.bytes
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let count = buffer.remaining
        guard count <= Self.writeLimit else { throw .invalid }
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        let taken = try buffer.take(into: &span, task)
        Self.log(bytes.span.extracting(0..<taken))
        return count
    }

    /// `<priority>text`; without a priority what a program says counts as a warning, as in Linux.
    static func log(_ bytes: Span<UInt8>) {
        var start = 0
        var level = LogLevel.warning
        if let (priority, end) = priority(bytes) {
            level = LogLevel(rawValue: UInt8(truncatingIfNeeded: priority & 7)) ?? .warning
            start = end
        }
        var end = bytes.count
        while end > start, bytes[end - 1] == 10 { end -= 1 }
        printk(level, "\(bytes.extracting(start..<end))")
    }

    /// The number in angle brackets at the beginning, and where it ends.
    private static func priority(_ bytes: Span<UInt8>) -> (Int, Int)? {
        guard bytes.count > 2, bytes[0] == 60 else { return nil }
        var number = 0
        var index = 1
        while index < bytes.count, index < 5, bytes[index] >= 48, bytes[index] <= 57 {
            number = number * 10 + Int(bytes[index] - 48)
            index += 1
        }
        guard index > 1, index < bytes.count, bytes[index] == 62 else { return nil }
        return (number, index + 1)
    }

    override func seek(
        _ offset: Int, _ origin: SeekOrigin, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard offset == 0 else { throw .illegalSeek }
        try reader.withLock(task) { reader throws(Errno) in
            switch origin {
            case .start, .data: reader.rewind()
            case .end: reader.skipToEnd()
            default: throw .invalid
            }
        }
        return 0
    }
}
