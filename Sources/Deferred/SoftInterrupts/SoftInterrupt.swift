// The soft IRQs: bottom halves with fixed numbers, run in that order.

/// A soft IRQ vector, in Linux's order and with its names (`/proc/softirqs`).
public enum SoftInterrupt: UInt8, CaseIterable, Sendable {
    case high = 0
    case timer
    case networkTransmit
    case networkReceive
    case block
    case irqPoll
    case tasklet
    case scheduler
    case highResolutionTimer
    case rcu

    public static let count = 10

    /// The bit in a CPU's mask of pending soft IRQs.
    @inline(__always)
    public var bit: UInt32 { 1 &<< UInt32(rawValue) }

    /// What `/proc/softirqs` calls it.
    public var name: StaticString {
        switch self {
        case .high: "HI"
        case .timer: "TIMER"
        case .networkTransmit: "NET_TX"
        case .networkReceive: "NET_RX"
        case .block: "BLOCK"
        case .irqPoll: "IRQ_POLL"
        case .tasklet: "TASKLET"
        case .scheduler: "SCHED"
        case .highResolutionTimer: "HRTIMER"
        case .rcu: "RCU"
        }
    }
}
