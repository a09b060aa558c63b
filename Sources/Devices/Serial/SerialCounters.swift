// What happened on a serial line since boot (TIOCGICOUNT, `/proc/tty/driver/serial`).

import Synchronization

/// Counted by the top half, read by anyone.
struct SerialCounters: ~Copyable {
    let received = Atomic<UInt32>(0)
    let transmitted = Atomic<UInt32>(0)
    let framingErrors = Atomic<UInt32>(0)
    let overruns = Atomic<UInt32>(0)
    let parityErrors = Atomic<UInt32>(0)
    let breaks = Atomic<UInt32>(0)
    /// Bytes that came while nobody had emptied the receive ring.
    let bufferOverruns = Atomic<UInt32>(0)
}

/// The counts at one moment.
public struct SerialStatistics: Sendable {
    public var received: UInt32 = 0
    public var transmitted: UInt32 = 0
    public var framingErrors: UInt32 = 0
    public var overruns: UInt32 = 0
    public var parityErrors: UInt32 = 0
    public var breaks: UInt32 = 0
    public var bufferOverruns: UInt32 = 0
}
