// The kernel log (`printk`): a ring of the last 64 KiB of lines, each with level and time, and the
// console that shows them as they come. Any context may write, NMI and panic too.

import Machine
import Synchronization

/// Levels of log lines, as in Linux (`include/linux/kern_levels.h`).
public enum LogLevel: UInt8, Sendable {
    case emergency = 0
    case alert, critical, error, warning, notice, info, debug
}

/// What the log needs from rooms below; each set once at boot.
public enum LogHooks {
    /// Nanoseconds since boot for the stamps.
    nonisolated(unsafe) public static var clock: (@convention(c) () -> UInt64)? = nil
    /// Shows one byte on the console; may busy-wait, must not take locks that log.
    nonisolated(unsafe) public static var console: (@convention(c) (UInt8) -> Void)? = nil
    /// Lines of a level at or above this number stay in the ring only (`quiet`, `loglevel=`).
    nonisolated(unsafe) public static var consoleLevel: UInt8 = 8
}

public enum KernelLog {
    public static let size = 65536
    /// Bytes ever written; the ring holds the last `size` of them. Interrupts-off lock.
    private static let ring = SpinLock(Ring())

    struct Ring: ~Copyable {
        /// Allocated statically as part of the lock's cell: the log works before there is a heap.
        var bytes = InlineArray<65536, UInt8>(repeating: 0)
        var written: UInt64 = 0
        /// Lines ever ended, and how many of those have been overwritten.
        var lines: UInt64 = 0
        var lostLines: UInt64 = 0
        /// The last byte that was overwritten: whether the oldest one left begins a line.
        var lastLost: UInt8 = 10

        mutating func put(_ byte: UInt8) {
            let place = Int(truncatingIfNeeded: written) & (KernelLog.size - 1)
            if written >= UInt64(KernelLog.size) {
                lastLost = bytes[place]
                if lastLost == 10 { lostLines &+= 1 }
            }
            if byte == 10 { lines &+= 1 }
            bytes[place] = byte
            written &+= 1
        }

        /// Where the oldest whole line begins.
        var oldestLine: UInt64 {
            guard written > UInt64(KernelLog.size) else { return 0 }
            var position = written - UInt64(KernelLog.size)
            if lastLost == 10 { return position }
            while position < written, bytes[Int(truncatingIfNeeded: position) & (KernelLog.size - 1)] != 10 {
                position += 1
            }
            return min(position + 1, written)
        }
    }

    /// Writes a line. Any context; if the lock cannot be had because this CPU already holds it
    /// (a crash inside the log), the line goes to the console only.
    public static func write(_ level: LogLevel, _ message: LogMessage) {
        let now = timestamp()
        var line = LogMessage()
        stamp(&line, now)
        let show = unsafe level.rawValue < LogHooks.consoleLevel
        let entered: Void? = ring.tryWithLockInterruptsOff { put(level, line, message, &$0) }
        // In an NMI the interrupted code may hold a ticket that would be served first: no waiting there.
        let mayWait = PreemptCount.value & PreemptCount.nmiMask == 0
        if entered == nil, mayWait, ring.holderCPU != CPU.index {
            ring.withLockInterruptsOff { ring, _ in put(level, line, message, &ring) }
        }
        if show { console.withLockUnlessMine { emit(line, message) } }
    }

    /// Shows a line on the console as it is, without stamp, level or a place in the ring: test reports
    /// and the kernel's last words.
    public static func writeRaw(_ message: LogMessage) {
        console.withLockUnlessMine { emit(LogMessage(), message) }
    }

    /// Keeps lines of several CPUs apart on the console.
    private static let console = ConsoleOwner()

    private static func timestamp() -> UInt64 { callClock() }

    @_semantics("no_performance_analysis")
    private static func callClock() -> UInt64 { unsafe LogHooks.clock?() ?? 0 }

    /// `[    1.234567] `, seconds and microseconds since boot.
    private static func stamp(_ line: inout LogMessage, _ now: UInt64) {
        let text: LogMessage =
            "[\(padded: now / 1_000_000_000, to: 5).\(padded: now / 1000 % 1_000_000, to: 6, with: 48)] "
        line = text
    }

    private static func put(_ level: LogLevel, _ line: LogMessage, _ message: LogMessage, _ ring: inout Ring)
    {
        ring.put(60)
        ring.put(48 + level.rawValue)
        ring.put(62)
        for index in 0..<line.count { ring.put(line[index]) }
        for index in 0..<message.count { ring.put(message[index]) }
        ring.put(10)
    }

    private static func emit(_ line: LogMessage, _ message: LogMessage) {
        for index in 0..<line.count { show(line[index]) }
        for index in 0..<message.count { show(message[index]) }
        show(10)
    }

    @_semantics("no_performance_analysis")
    private static func show(_ byte: UInt8) { unsafe LogHooks.console?(byte) }

    /// Bytes ever written to the ring.
    public static var written: UInt64 { ring.withLockInterruptsOff { ring, _ in ring.written } }

    /// Where the oldest line begins that is whole, and its number: how many were written before.
    public static var oldestLine: (position: UInt64, number: UInt64) {
        ring.withLockInterruptsOff { ring, _ in
            (ring.oldestLine, ring.lostLines + (ring.lastLost == 10 ? 0 : 1))
        }
    }

    /// The same of the line that will be written next.
    public static var newestLine: (position: UInt64, number: UInt64) {
        ring.withLockInterruptsOff { ring, _ in (ring.written, ring.lines) }
    }

    /// Copies what the ring still holds from position `from` into `buffer` (`<level>[time] text\n` lines);
    /// returns how many bytes, and from which position they really came.
    public static func read(from: UInt64, into buffer: inout MutableSpan<UInt8>) -> (
        count: Int, position: UInt64
    ) {
        let capacity = buffer.count
        return ring.withLockInterruptsOff { ring, _ in
            let oldest = ring.written > UInt64(size) ? ring.written - UInt64(size) : 0
            let start = max(from, oldest)
            let end = max(min(ring.written, start &+ UInt64(capacity)), start)
            var index = 0
            var position = start
            while position < end {
                buffer[index] = ring.bytes[Int(truncatingIfNeeded: position) & (size - 1)]
                index += 1
                position += 1
            }
            return (index, start)
        }
    }
}

/// The CPU that is writing to the console, so that a crash inside the console does not deadlock.
struct ConsoleOwner: ~Copyable {
    /// CPU number plus one, 0 when free.
    private let owner = Atomic<UInt32>(0)

    @inline(__always)
    func withLockUnlessMine(_ body: () -> Void) {
        withInterruptsOff { _ in
            let me = UInt32(truncatingIfNeeded: CPU.index) &+ 1
            let mine = owner.load(ordering: .relaxed) == me
            while !mine
                && !owner.compareExchange(expected: 0, desired: me, ordering: .acquiring).exchanged
            { Spin.pause() }
            body()
            if !mine { owner.store(0, ordering: .releasing) }
        }
    }
}

/// Writes a line to the kernel log. Any context, no allocation.
public func printk(_ level: LogLevel = .info, _ message: LogMessage) {
    KernelLog.write(level, message)
}
