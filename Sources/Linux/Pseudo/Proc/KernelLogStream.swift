// /proc/kmsg: the kernel log as lines `<level>[time] text`, each given out once (syslog(2)); who reads waits for the next.

import Primitives
import Tasks
import Time

final class KernelLogStreamInode: PseudoInode, @unchecked Sendable {
    override func open(
        _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        guard Caller.credentials.has(.systemLog) else { throw .notPermitted }
        return KernelLogStream(self, path, flags)
    }
}

final class KernelLogStream: File, @unchecked Sendable {
    /// What has been given out, for all readers together.
    private static let position = SpinLock<UInt64>(0)
    private static let period: UInt64 = 100_000_000

    override var isSeekable: Bool { false }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard buffer.remaining > 0 else { return 0 }
        while true {
            let bytes = Self.take(min(buffer.remaining, 4096))
            if !bytes.isEmpty { return try buffer.put(bytes.span, task) }
            if isNonBlocking { throw .tryAgain }
            try Thread.sleep(until: .after(Self.period), task)
        }
    }

    private static func take(_ limit: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = position.withLock { position in
            var span = bytes.mutableSpan
            let (count, start) = KernelLog.read(from: position, into: &span)
            position = start &+ UInt64(count)
            return count
        }
        bytes.removeLast(limit - count)
        return bytes
    }

    override func poll(_ table: PollTable?) -> PollEvents {
        let hasMore = Self.position.withLock { $0 < KernelLog.written }
        return hasMore ? .readable : []
    }
}
