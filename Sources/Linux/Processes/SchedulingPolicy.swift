// The policy a thread asked for, in the numbers of sched(7).

import Primitives
import Tasks

struct SchedulingPolicy: Equatable {
    /// SCHED_OTHER 0, FIFO 1, RR 2, BATCH 3, IDLE 5; children start without it if `resetOnFork` is set.
    var word: Int32 = 0
    var priority: Int32 = 0

    static let resetOnFork: Int32 = 0x4000_0000  // SCHED_RESET_ON_FORK

    init() {}

    /// Throws `.invalid` for policies that do not exist and priorities they do not have.
    init(word: Int32, priority: Int32) throws(Errno) {
        let range = try Self.priorities(word & ~Self.resetOnFork)
        // SCHED_DEADLINE has a priority range, but cannot be had.
        guard range.contains(Int(priority)), word & ~Self.resetOnFork != 6 else { throw .invalid }
        self.word = word
        self.priority = priority
    }

    var number: Int32 { word & ~Self.resetOnFork }
    var resetsOnFork: Bool { word & Self.resetOnFork != 0 }
    var isRealTime: Bool { number == 1 || number == 2 }
    var isRoundRobin: Bool { number == 2 }

    /// What a child of a thread with this policy begins with.
    var inherited: SchedulingPolicy {
        var policy = self
        policy.word = number
        if resetsOnFork, isRealTime { policy = SchedulingPolicy() }
        return policy
    }

    /// What the scheduler calls it.
    var schedulingClass: SchedulingClass {
        SchedulingClass(rawValue: UInt8(truncatingIfNeeded: number)) ?? .normal
    }

    /// The priorities a policy has.
    static func priorities(_ policy: Int32) throws(Errno) -> ClosedRange<Int> {
        switch policy {
        case 1, 2: return 1...99
        case 0, 3, 5, 6: return 0...0
        default: throw .invalid
        }
    }
}

/// `struct sched_attr`.
struct SchedulingAttributes {
    var size: UInt32 = 0
    var policy: UInt32 = 0
    var flags: UInt64 = 0
    var nice: Int32 = 0
    var priority: UInt32 = 0
    var runtime: UInt64 = 0
    var deadline: UInt64 = 0
    var period: UInt64 = 0
    var minimumUtilization: UInt32 = 0
    var maximumUtilization: UInt32 = 1024

    static let firstSize: UInt32 = 48  // SCHED_ATTR_SIZE_VER0
    static let size: UInt32 = 56  // SCHED_ATTR_SIZE_VER1

    init() {}

    init(_ policy: SchedulingPolicy, nice: Int) {
        self.policy = UInt32(bitPattern: policy.word & ~SchedulingPolicy.resetOnFork)
        flags = policy.word & SchedulingPolicy.resetOnFork != 0 ? 1 : 0
        self.nice = policy.isRealTime ? 0 : Int32(nice)
        priority = UInt32(bitPattern: policy.priority)
    }

    private static let resetOnFork: UInt64 = 1
    private static let keepPolicy: UInt64 = 8
    static let keepParameters: UInt64 = 16
    private static let utilizationClamps: UInt64 = 32 + 64
    /// Reclaiming and overrun signals mean something for SCHED_DEADLINE only.
    private static let ofDeadline: UInt64 = 2 + 4

    /// What they ask for, of a thread with policy `old`.
    func policyRequest(_ old: SchedulingPolicy) throws(Errno) -> SchedulingPolicy {
        guard Int32(bitPattern: policy) >= 0 else { throw .invalid }
        let keepsPolicy = flags & Self.keepPolicy != 0
        let number = keepsPolicy ? old.number : Int32(policy)
        let known =
            Self.resetOnFork | Self.keepPolicy | Self.keepParameters | Self.utilizationClamps
            | Self.ofDeadline
        guard number <= 6, flags & ~known == 0, priority <= 99 else { throw .invalid }
        if flags & Self.utilizationClamps != 0 { throw .notSupported }
        let resets = keepsPolicy ? old.resetsOnFork : flags & Self.resetOnFork != 0
        return try SchedulingPolicy(
            word: number | (resets ? SchedulingPolicy.resetOnFork : 0),
            priority: flags & Self.keepParameters != 0 ? old.priority : Int32(priority))
    }
}
