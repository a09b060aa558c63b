// The policy a thread asked for, in the numbers of sched(7).

import Primitives

struct SchedulingPolicy: Equatable {
    /// SCHED_OTHER 0, FIFO 1, RR 2, BATCH 3, IDLE 5; children start without it if `resetOnFork` is set.
    var word: Int32 = 0
    var priority: Int32 = 0

    static let resetOnFork: Int32 = 0x4000_0000  // SCHED_RESET_ON_FORK

    init() {}

    /// Throws `.invalid` for policies that do not exist and priorities they do not have.
    init(word: Int32, priority: Int32) throws(Errno) {
        let range = try Self.priorities(word & ~Self.resetOnFork)
        guard range.contains(Int(priority)), word & ~Self.resetOnFork != 6 else { throw .invalid }
        self.word = word
        self.priority = priority
    }

    private var number: Int32 { word & ~Self.resetOnFork }
    var isRealTime: Bool { number == 1 || number == 2 }
    var isRoundRobin: Bool { number == 2 }

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

    /// What they ask for.
    func policyRequest() throws(Errno) -> SchedulingPolicy {
        // SCHED_FLAG_RESET_ON_FORK is the only flag that means anything here.
        guard flags & ~1 == 0, policy <= 6, priority <= 99 else { throw .invalid }
        let word = Int32(policy) | (flags & 1 != 0 ? SchedulingPolicy.resetOnFork : 0)
        return try SchedulingPolicy(word: word, priority: Int32(priority))
    }
}
