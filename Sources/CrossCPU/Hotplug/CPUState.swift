// The states a CPU goes through on its way up, and back in the opposite order on its way down. One table: what each
// state does is below, or was registered by the room it belongs to.
//
//   state                up                                     down
//   offline
//   timers               -                                      its timers fire elsewhere (it is dead)
//   deferredWork         (room Deferred)                        (room Deferred: what was left there)
//   vectors              -                                      its vectors are free
//   running              INIT, start-up, idle loop              idle loop, last look at its calls, parked
//   interrupts           -                                      lines get vectors of other CPUs
//   calls                -                                      nobody calls it any more, nobody still does
//   scheduling           -                                      threads move away, no more come
//   online

/// Up to where a CPU has come.
public enum CPUState: UInt8, CaseIterable, Comparable, Sendable {
    case offline = 0
    case timers
    case deferredWork
    case vectors
    case running
    case interrupts
    case calls
    case scheduling
    case online

    public static func < (a: CPUState, b: CPUState) -> Bool { a.rawValue < b.rawValue }

    /// What `/sys/devices/system/cpu/hotplug/states` calls it.
    public var name: StaticString {
        switch self {
        case .offline: "offline"
        case .timers: "timers:dead"
        case .deferredWork: "deferred:dead"
        case .vectors: "irq:vectors"
        case .running: "cpu:bringup"
        case .interrupts: "irq:affinity"
        case .calls: "smpcfd:dying"
        case .scheduling: "sched:active"
        case .online: "online"
        }
    }
}
