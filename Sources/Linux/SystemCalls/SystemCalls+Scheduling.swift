// Scheduling: yielding, affinity, priorities and policies. Threads share the CPUs by weight whatever
// policy they ask for; the policies are kept so that programs find what they set.

import Machine
import Primitives
import Tasks

extension SystemCalls {
    static func sched_yield(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        Scheduler.yield(task)
        return 0
    }

    /// The thread a call names; 0 is the caller.
    private static func thread(_ identifier: Int32) throws(Errno) -> LinuxTask {
        guard identifier >= 0 else { throw .invalid }
        if identifier == 0 { return LinuxTask.current }
        guard let found = ProcessTable.task(identifier) else { throw .noSuchProcess }
        return found
    }

    /// Who has the same user, or CAP_SYS_NICE, may change how a thread is scheduled.
    private static func checkMayChange(_ target: LinuxTask) throws(Errno) {
        let own = LinuxTask.current.credentials
        if target === LinuxTask.current || own.has(.nice) { return }
        let other = target.observedCredentials
        guard own.effectiveUserID == other.userID || own.effectiveUserID == other.effectiveUserID else {
            throw .notPermitted
        }
    }

    // MARK: Affinity

    static func sched_getaffinity(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let size = arguments.a1
        guard size & 7 == 0, size >= UInt((CPUs.count + 63) / 64 * 8) else { throw .invalid }
        let target = try thread(arguments.a0.asInt32)
        let mask = target.thread.affinity.intersection(CPUs.online)
        let words = min(Int(clamping: size / 8), (CPUs.count + 63) / 64)
        for word in 0..<words { try store(mask[word: word], to: arguments.a2 &+ UInt(word * 8), task) }
        return words * 8
    }

    static func sched_setaffinity(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let target = try thread(arguments.a0.asInt32)
        var mask = CPUMask()
        let bytes = min(Int(arguments.a1.asUInt32), maximumCPUs / 8)
        for index in 0..<bytes {
            let byte = try load(UInt8.self, from: arguments.a2 &+ UInt(index), task)
            mask[word: index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
        }
        try checkMayChange(target)
        try target.thread.setAffinity(mask, task)
        return 0
    }

    // MARK: Nice values

    /// Threads of a user, a process group or a process, as `getpriority` and `setpriority` name them.
    private static func forEachThread(
        _ which: Int32, _ who: Int32, _ body: (LinuxTask) -> Void
    ) throws(Errno) {
        switch which {
        case 0: body(try thread(who))  // PRIO_PROCESS
        case 1:  // PRIO_PGRP
            let group = who == 0 ? LinuxTask.current.process.groupIdentifier : who
            ProcessTable.forEachTask { if $0.process.groupIdentifier == group { body($0) } }
        case 2:  // PRIO_USER
            let user = who == 0 ? LinuxTask.current.credentials.userID : UInt32(bitPattern: who)
            ProcessTable.forEachTask { if $0.observedCredentials.userID == user { body($0) } }
        default: throw .invalid
        }
    }

    static func getpriority(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        var best: Int?
        try forEachThread(arguments.a0.asInt32, arguments.a1.asInt32) {
            // 40 ... 1 for -20 ... 19, so that it is never mistaken for an error.
            best = max(best ?? 0, 20 - $0.thread.nice)
        }
        guard let best else { throw .noSuchProcess }
        return best
    }

    static func setpriority(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let nice = min(max(Int(arguments.a2.asInt32), -20), 19)
        var result: Errno? = .noSuchProcess
        try forEachThread(arguments.a0.asInt32, arguments.a1.asInt32) { target in
            do throws(Errno) {
                try setNice(target, nice)
                if result == .noSuchProcess { result = nil }
            } catch { result = error }
        }
        if let result { throw result }
        return 0
    }

    private static func setNice(_ target: LinuxTask, _ nice: Int) throws(Errno) {
        let own = LinuxTask.current.credentials
        let other = target.observedCredentials
        guard
            own.effectiveUserID == other.userID || own.effectiveUserID == other.effectiveUserID
                || own.has(.nice)
        else { throw .notPermitted }
        // RLIMIT_NICE is 20 minus the smallest nice value that may be taken.
        let lowest = 20 - Int(clamping: target.process.limit(.nice))
        guard nice >= target.thread.nice || nice >= lowest || own.has(.nice) else { throw .accessDenied }
        target.thread.setNice(nice)
    }

    // MARK: Policies

    private static func policy(_ number: Int32) throws(Errno) -> SchedulingClass {
        guard let number = UInt8(exactly: number & ~SchedulingPolicy.resetOnFork),
            let policy = SchedulingClass(rawValue: number)
        else { throw .invalid }
        return policy
    }

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
        guard arguments.a2 != 0, word >= 0 else { throw .invalid }
        let priority = try load(Int32.self, from: arguments.a2, task)
        try setPolicy(thread(arguments.a0.asInt32), SchedulingPolicy(word: word, priority: priority))
        return 0
    }

    static func sched_setparam(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a1 != 0 else { throw .invalid }
        let priority = try load(Int32.self, from: arguments.a1, task)
        let target = try thread(arguments.a0.asInt32)
        try setPolicy(target, SchedulingPolicy(word: target.scheduling.word, priority: priority))
        return 0
    }

    private static func setPolicy(_ target: LinuxTask, _ policy: SchedulingPolicy) throws(Errno) {
        try checkMayChange(target)
        let isRaised = policy.isRealTime && policy.priority > target.scheduling.priority
        guard
            !isRaised || LinuxTask.current.credentials.has(.nice)
                || UInt64(policy.priority) <= target.process.limit(.realTimePriority)
        else { throw .notPermitted }
        target.scheduling = policy
    }

    static func sched_rr_get_interval(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let target = try thread(arguments.a0.asInt32)
        let interval: UInt64 =
            target.scheduling.isRoundRobin ? 100_000_000 : target.scheduling.isRealTime ? 0 : 4_000_000
        try store(TimeSpecification(nanoseconds: interval), to: arguments.a1, task)
        return 0
    }

    static func sched_getattr(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let size = arguments.a2.asUInt32
        guard arguments.a3 == 0, size >= SchedulingAttributes.firstSize, size <= UInt32(pageSize) else {
            throw .invalid
        }
        let target = try thread(arguments.a0.asInt32)
        var attributes = SchedulingAttributes(target.scheduling, nice: target.thread.nice)
        attributes.size = min(size, SchedulingAttributes.size)
        try storeStructure(attributes, to: arguments.a1, size: Int(attributes.size), task)
        return 0
    }

    static func sched_setattr(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a2 == 0, arguments.a1 != 0 else { throw .invalid }
        var attributes = SchedulingAttributes()
        let size = try load(UInt32.self, from: arguments.a1, task)
        let known = size == 0 ? SchedulingAttributes.firstSize : size
        guard known >= SchedulingAttributes.firstSize, known <= UInt32(pageSize) else {
            throw .argumentListTooLong
        }
        try loadStructure(&attributes, from: arguments.a1, size: Int(known), task)
        let target = try thread(arguments.a0.asInt32)
        let policy = try attributes.policyRequest()
        try setPolicy(target, policy)
        if !policy.isRealTime { try setNice(target, min(max(Int(attributes.nice), -20), 19)) }
        return 0
    }
}
