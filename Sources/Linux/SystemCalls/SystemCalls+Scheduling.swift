// Scheduling: yielding, affinity and nice values. Policies are in SystemCalls+Policies.swift.

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
    static func thread(_ identifier: Int32) throws(Errno) -> LinuxTask {
        guard identifier >= 0 else { throw .invalid }
        if identifier == 0 { return LinuxTask.current }
        guard let found = ProcessTable.task(identifier) else { throw .noSuchProcess }
        return found
    }

    /// Who has the same user, or CAP_SYS_NICE, may change how a thread is scheduled.
    static func checkMayChange(_ target: LinuxTask) throws(Errno) {
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
        guard nice >= target.thread.nice || mayTakeNice(nice, target) else { throw .accessDenied }
        target.thread.setNice(nice)
    }

    /// RLIMIT_NICE is 20 minus the smallest nice value that a thread may have.
    static func mayTakeNice(_ nice: Int, _ target: LinuxTask) -> Bool {
        let limit = target.process.limit(.nice)
        return limit >= 40 || nice >= 20 - Int(limit) || LinuxTask.current.credentials.has(.nice)
    }
}
