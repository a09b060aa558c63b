// Why a call to another CPU was not made.

public enum CallError: UInt8, Error, Sendable {
    /// No CPU has this number.
    case noSuchCPU
    /// The CPU does not run; nor, for a call to any of several, does one of them.
    case offline
    /// The caller would wait with interrupts off: two CPUs that do so for each other wait for ever. Reported to the
    /// log with a backtrace as well.
    case wouldDeadlock
    /// The node is still queued from an earlier call.
    case busy
}
