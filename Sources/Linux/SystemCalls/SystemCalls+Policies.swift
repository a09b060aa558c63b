// Scheduling policies: sched(7). SCHED_DEADLINE is not there.

import Machine
import Primitives
import Tasks

extension SystemCalls {
    static func sched_get_priority_max(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int { try SchedulingPolicy.priorities(arguments.a0.asInt32).upperBound }

    static func sched_get_priority_min(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int { try SchedulingPolicy.priorities(arguments.a0.asInt32).lowerBound }

    static func sched_getscheduler(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int { Int(try thread(arguments.a0.asInt32).scheduling.word) }

    static func sched_getparam(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a1 != 0 else { throw .invalid }
        try store(Int32(thread(arguments.a0.asInt32).scheduling.priority), to: arguments.a1, task)
        return 0
    }

    static func sched_setscheduler(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let word = arguments.a1.asInt32
        guard arguments.a2 != 0, word >= 0, arguments.a0.asInt32 >= 0 else { throw .invalid }
        let priority = try load(Int32.self, from: arguments.a2, task)
        let target = try thread(arguments.a0.asInt32)
        try setPolicy(target, SchedulingPolicy(word: word, priority: priority))
        return 0
    }

    static func sched_setparam(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a1 != 0, arguments.a0.asInt32 >= 0 else { throw .invalid }
        let priority = try load(Int32.self, from: arguments.a1, task)
        let target = try thread(arguments.a0.asInt32)
        try setPolicy(target, SchedulingPolicy(word: target.scheduling.word, priority: priority))
        return 0
    }

    /// Changes policy and, for those that have one, nice value, if the caller may.
    private static func setPolicy(
        _ target: LinuxTask, _ policy: SchedulingPolicy, nice: Int? = nil
    ) throws(Errno) {
        let own = LinuxTask.current.credentials
        if !own.has(.nice) {
            try checkMayChange(target)
            guard mayTake(policy, nice, target) else { throw .notPermitted }
        }
        target.scheduling = policy
        if let nice, !policy.isRealTime { target.thread.setNice(nice) }
        target.thread.setScheduling(policy.schedulingClass, priority: Int(policy.priority))
    }

    /// What a program without CAP_SYS_NICE may ask for (sched(7), "Privileges and resource limits").
    private static func mayTake(_ policy: SchedulingPolicy, _ nice: Int?, _ target: LinuxTask) -> Bool {
        let old = target.scheduling
        if old.resetsOnFork, !policy.resetsOnFork { return false }
        if policy.isRealTime {
            let limit = target.process.limit(.realTimePriority)
            if policy.number != old.number, limit == 0 { return false }
            return policy.priority <= old.priority || UInt64(policy.priority) <= limit
        }
        // Out of SCHED_IDLE is as if the nice value went down from above all others.
        if old.schedulingClass == .idle, policy.schedulingClass != .idle,
            !mayTakeNice(target.thread.nice, target)
        {
            return false
        }
        guard let nice, nice < target.thread.nice else { return true }
        return mayTakeNice(nice, target)
    }

    static func sched_rr_get_interval(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let policy = try thread(arguments.a0.asInt32).scheduling
        let interval: UInt64 =
            policy.isRoundRobin ? Scheduler.roundRobinTurn : policy.isRealTime ? 0 : 4_000_000
        try store(TimeSpecification(nanoseconds: interval), to: arguments.a1, task)
        return 0
    }

    static func sched_getattr(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let size = arguments.a2.asUInt32
        guard arguments.a1 != 0, arguments.a3.asUInt32 == 0, size >= SchedulingAttributes.firstSize,
            size <= UInt32(pageSize)
        else { throw .invalid }
        let target = try thread(arguments.a0.asInt32)
        var attributes = SchedulingAttributes(target.scheduling, nice: target.thread.nice)
        attributes.size = min(size, SchedulingAttributes.size)
        try storeStructure(attributes, to: arguments.a1, size: Int(attributes.size), task)
        return 0
    }

    static func sched_setattr(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a2.asUInt32 == 0, arguments.a1 != 0, arguments.a0.asInt32 >= 0 else {
            throw .invalid
        }
        var attributes = SchedulingAttributes()
        let size = try load(UInt32.self, from: arguments.a1, task)
        let known = size == 0 ? SchedulingAttributes.firstSize : size
        guard known >= SchedulingAttributes.firstSize, known <= UInt32(pageSize) else {
            try tellSize(arguments.a1, task)
        }
        do throws(Errno) {
            try loadStructure(&attributes, from: arguments.a1, size: Int(known), task)
        } catch {
            if error == .argumentListTooLong { try tellSize(arguments.a1, task) }
            throw error
        }
        let target = try thread(arguments.a0.asInt32)
        let policy = try attributes.policyRequest(target.scheduling)
        let keeps = attributes.flags & SchedulingAttributes.keepParameters != 0
        try setPolicy(target, policy, nice: keeps ? nil : min(max(Int(attributes.nice), -20), 19))
        return 0
    }

    /// E2BIG, and where the structure's size is, the one that is known here.
    private static func tellSize(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) -> Never {
        try store(SchedulingAttributes.size, to: address, task)
        throw .argumentListTooLong
    }
}
