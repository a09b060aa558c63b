// /proc/PID/stat: the line that ps and top read, 52 fields in the order of proc(5).

import Memory
import Primitives
import Synchronization
import Tasks

enum ProcessStat {
    static func show(_ subject: ProcessSubject, _ text: inout Text) {
        let relations = ProcessRelations(subject.process)
        text.add("\(subject.identifier) (\(subject.name)) ")
        text.add(byte: subject.state)
        text.add(" \(relations.parent) \(relations.group) \(relations.session) \(relations.terminal) ")
        // Flags: address space laid out at random. Page faults are not counted by process.
        text.add("\(relations.foreground) 4194304 0 0 0 0 ")
        addTimes(subject, relations, &text)
        addMemory(subject, &text)
        addSignals(subject, &text)
        addScheduling(subject, relations, &text)
        addPlaces(subject, relations, &text)
    }

    /// utime stime cutime cstime priority nice num_threads itrealvalue starttime
    private static func addTimes(
        _ subject: ProcessSubject, _ relations: ProcessRelations, _ text: inout Text
    ) {
        let tick = CPUUsage.nanosecondsPerTick
        let times = subject.times
        text.add("\(times.user / tick) \(times.system / tick) ")
        text.add("\(relations.children.user / tick) \(relations.children.system / tick) ")
        let nice = subject.representative?.thread.nice ?? 0
        let policy = subject.representative?.scheduling ?? SchedulingPolicy()
        let priority = policy.isRealTime ? -1 - Int(policy.priority) : 20 + nice
        text.add("\(priority) \(nice) \(subject.process.threadCount) 0 \(subject.startTime / tick) ")
    }

    /// vsize rss rsslim startcode endcode startstack kstkesp kstkeip
    private static func addMemory(_ subject: ProcessSubject, _ text: inout Text) {
        let usage = subject.memory?.usage ?? AddressSpaceUsage()
        let limit = subject.process.limit(.residentSet)
        let image = subject.process.image.withLock { $0 }
        text.add("\(usage.totalPages * 4096) \(usage.residentPages) \(limit) ")
        let mayInspect = subject.isInspectable
        text.add(mayInspect && subject.memory != nil ? "0 0 \(image.stackStart) 0 0 " : "0 0 0 0 0 ")
    }

    /// signal blocked sigignore sigcatch wchan nswap cnswap
    private static func addSignals(_ subject: ProcessSubject, _ text: inout Text) {
        // Only signals below 32 have room here; status has all.
        let mask: UInt64 = 0x7fff_ffff
        let signals = ProcessSignalSets(subject)
        text.add("\(signals.pending.bits & mask) \(signals.blocked.bits & mask) ")
        text.add("\(signals.ignored.bits & mask) \(signals.caught.bits & mask) 0 0 0 ")
    }

    /// exit_signal processor rt_priority policy delayacct_blkio_ticks guest_time cguest_time
    private static func addScheduling(
        _ subject: ProcessSubject, _ relations: ProcessRelations, _ text: inout Text
    ) {
        let policy = subject.representative?.scheduling ?? SchedulingPolicy()
        let number = policy.word & ~SchedulingPolicy.resetOnFork
        text.add("\(relations.exitSignal) \(subject.representative?.thread.cpu ?? 0) ")
        text.add("\(policy.priority) \(number) 0 0 0 ")
    }

    /// start_data end_data start_brk arg_start arg_end env_start env_end exit_code
    private static func addPlaces(
        _ subject: ProcessSubject, _ relations: ProcessRelations, _ text: inout Text
    ) {
        guard subject.isInspectable, subject.memory != nil else { return text.add("0 0 0 0 0 0 0 0\n") }
        let image = subject.process.image.withLock { $0 }
        text.add("0 0 \(subject.heapStart) \(image.arguments.lowerBound) \(image.arguments.upperBound) ")
        text.add("\(image.environment.lowerBound) \(image.environment.upperBound) ")
        text.add("\(subject.state == 90 ? relations.exitStatus : 0)\n")
    }
}

extension ProcessSubject {
    var isInspectable: Bool {
        do throws(Errno) {
            try checkInspection()
            return true
        } catch {
            return false
        }
    }

    /// CPU time of the process, or of the thread alone.
    var times: CPUUsage { thread.map { CPUUsage($0.thread) } ?? process.times }

    /// Nanoseconds from boot to its beginning.
    var startTime: UInt64 { thread?.startTime ?? process.startTime }

    /// Where its heap begins, 0 if it has none.
    var heapStart: UInt {
        var start: UInt = 0
        memory?.forEachRegion { region in if region.kind == .heap, start == 0 { start = region.start } }
        return start
    }
}

/// The sets of signals that `stat` and `status` show.
struct ProcessSignalSets {
    /// For the thread, and for the process as a whole.
    var pending = SignalSet()
    var shared = SignalSet()
    var blocked = SignalSet()
    var ignored = SignalSet()
    var caught = SignalSet()
    /// Records that are waiting, of this user in all.
    var queued = 0

    init(_ subject: ProcessSubject) {
        let process = subject.process
        let task = subject.representative
        let actions = process.signals.withLockInterruptsOff { signals, _ in
            shared = signals.shared.pending
            if let task {
                pending = task.pending.pending
                blocked = task.blocked
            }
            return process.actions
        }
        for number in UInt8(1)...64 {
            let signal = Signal(number)
            let action = actions[signal]
            if action.isIgnored {
                ignored.insert(signal)
            } else if !action.isDefault {
                caught.insert(signal)
            }
        }
        queued = task?.account.pendingSignals.load(ordering: .relaxed) ?? 0
    }
}
