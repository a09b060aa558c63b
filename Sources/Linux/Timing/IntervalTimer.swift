// Interval timers (setitimer(2)): a signal after a time, and again and again if wanted. ITIMER_REAL counts wall
// time, the others CPU time of the process.
//
// There is no tick that would charge CPU time. A CPU timer therefore looks when it could have run out at the
// earliest, since no thread uses more CPU time than wall time passes, and sets out again for the rest.

import Machine
import Primitives
import Synchronization
import Tasks
import Time

final class IntervalTimer: Sendable {
    enum Kind: Int, Sendable {
        case real = 0  // ITIMER_REAL, SIGALRM
        case virtual = 1  // ITIMER_VIRTUAL, SIGVTALRM: time in user mode
        case profiling = 2  // ITIMER_PROF, SIGPROF
        /// Not a program's own: RLIMIT_CPU, SIGXCPU each second above it and at last SIGKILL.
        case limit = 3

        var signal: Signal {
            switch self {
            case .real: .alarm
            case .virtual: .virtualAlarm
            case .profiling: .profiling
            case .limit: .cpuLimit
            }
        }
    }

    private let bell: Bell
    private let timer: SoftTimer

    /// `process` owns the timer, and ends it.
    init(_ kind: Kind, _ process: Process) {
        let bell = Bell(kind, process)
        self.bell = bell
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(bell).toOpaque())
        timer = SoftTimer("itimer", word: word) { _, word in
            // This object owns the bell, and ends the timer before it goes.
            let opaque = unsafe UnsafeRawPointer(bitPattern: word).unsafelyUnwrapped
            return unsafe Unmanaged<Bell>.fromOpaque(opaque)._withUnsafeGuaranteedRef { $0.ring() }
        }
    }

    /// What the timer calls, in a soft IRQ.
    @safe private final class Bell: @unchecked Sendable {
        let kind: Kind
        /// Not owned: the process owns the timer.
        private let process: Unmanaged<Process>
        /// Nanoseconds between signals, 0 for a single one.
        let interval = Atomic<UInt64>(0)
        /// Time at which a limit kills, 0 for never.
        let deadly = Atomic<UInt64>(0)
        /// Time at which the next signal is due, by the clock of the kind; 0 for none.
        let due = Atomic<UInt64>(0)

        init(_ kind: Kind, _ process: Process) {
            self.kind = kind
            unsafe self.process = Unmanaged.passUnretained(process)
        }

        /// What the kind counts.
        var clock: UInt64 {
            if kind == .real { return Clock.monotonic }
            let times = unsafe process._withUnsafeGuaranteedRef { $0.times }
            return kind == .virtual ? times.user : times.total
        }

        func ring() -> HighResolutionTimer.Next {
            let now = clock
            var due = due.load(ordering: .relaxed)
            guard due != 0 else { return .done }
            if now >= due {
                let limit = deadly.load(ordering: .relaxed)
                let signal = limit != 0 && now >= limit ? .kill : kind.signal
                unsafe process._withUnsafeGuaranteedRef { $0.send(signal) }
                let interval = interval.load(ordering: .relaxed)
                // Those that were missed are not made up for.
                due = interval == 0 ? 0 : due &+ ((now - due) / interval &+ 1) &* interval
                self.due.store(due, ordering: .relaxed)
                guard due != 0 else { return .done }
            }
            return .again(at: wakeTime(for: due, now))
        }

        /// When, by the monotonic clock, the time `due` may have come at the earliest.
        func wakeTime(for due: UInt64, _ now: UInt64) -> UInt64 {
            guard kind != .real else { return due }
            let left = due > now ? due - now : 0
            return Clock.monotonic.addingClamped(max(left / UInt64(CPUs.count), 50_000))
        }
    }

    /// Nanoseconds left (0 if it does not run) and between signals.
    var state: (remaining: UInt64, interval: UInt64) {
        let due = bell.due.load(ordering: .relaxed)
        guard due != 0 else { return (0, 0) }
        let now = bell.clock
        // A timer that is about to fire still has a moment left.
        return (due > now ? due - now : 1, bell.interval.load(ordering: .relaxed))
    }

    /// Sends SIGXCPU when the clock shows `soft`, and SIGKILL when it shows `hard`.
    func limit(to soft: UInt64, hard: UInt64, _ task: borrowing TaskContext) {
        timer.stop(task)
        bell.interval.store(1_000_000_000, ordering: .relaxed)
        bell.deadly.store(hard, ordering: .relaxed)
        bell.due.store(max(soft, 1), ordering: .relaxed)
        timer.start(at: bell.wakeTime(for: soft, bell.clock))
    }

    /// Sets it to fire after `duration`, or stops it for 0. The caller keeps others from doing so.
    func set(_ duration: UInt64, interval: UInt64, _ task: borrowing TaskContext) {
        timer.stop(task)
        bell.due.store(0, ordering: .relaxed)
        guard duration != 0 else { return }
        let now = bell.clock
        let due = now.addingClamped(duration)
        bell.interval.store(interval, ordering: .relaxed)
        bell.due.store(due, ordering: .relaxed)
        timer.start(at: bell.wakeTime(for: due, now))
    }

    /// Stops it for ever.
    func end(_ task: borrowing TaskContext) { timer.end(task) }
}

/// The timers of a process.
final class ProcessTimers: Sendable {
    private struct State {
        var interval = InlineArray<4, IntervalTimer?>(repeating: nil)
        var realTime: RealTimeLimit?
    }
    /// Task context.
    private let state = Tasks.Mutex<State>(State())

    /// What the timer was; with `new`, sets it.
    func exchange(
        _ kind: IntervalTimer.Kind, _ new: (duration: UInt64, interval: UInt64)?, of process: Process,
        _ task: borrowing TaskContext
    ) -> (remaining: UInt64, interval: UInt64) {
        state.withLock(task) { state in
            if state.interval[kind.rawValue] == nil {
                guard let new, new.duration != 0 else { return (0, 0) }
                state.interval[kind.rawValue] = IntervalTimer(kind, process)
            }
            guard let timer = state.interval[kind.rawValue] else { return (0, 0) }
            let old = timer.state
            if let new { timer.set(new.duration, interval: new.interval, task) }
            return old
        }
    }

    /// Puts RLIMIT_CPU into force.
    func setLimit(_ limit: ResourceLimit, of process: Process, _ task: borrowing TaskContext) {
        let second: UInt64 = 1_000_000_000
        func nanoseconds(_ seconds: UInt64) -> UInt64 {
            let product = seconds.multipliedReportingOverflow(by: second)
            return product.overflow ? .max : product.partialValue
        }
        state.withLock(task) { state in
            let kind = IntervalTimer.Kind.limit
            guard limit.current != ResourceLimit.infinity else {
                state.interval[kind.rawValue]?.set(0, interval: 0, task)
                return
            }
            let timer = state.interval[kind.rawValue] ?? IntervalTimer(kind, process)
            state.interval[kind.rawValue] = timer
            // A hard limit that was never set kills nobody.
            let hard = limit.maximum == ResourceLimit.infinity ? 0 : nanoseconds(limit.maximum)
            timer.limit(to: nanoseconds(limit.current), hard: hard, task)
        }
    }

    /// Puts RLIMIT_RTTIME into force.
    func setRealTimeLimit(_ limit: ResourceLimit, of process: Process, _ task: borrowing TaskContext) {
        state.withLock(task) { state in
            if state.realTime == nil {
                if limit.current == ResourceLimit.infinity { return }
                state.realTime = RealTimeLimit(process)
            }
            state.realTime?.set(limit, task)
        }
    }

    /// At the end of the process.
    func cancelAll(_ task: borrowing TaskContext) {
        state.withLock(task) { state in
            for kind in 0..<4 {
                state.interval[kind]?.end(task)
                state.interval[kind] = nil
            }
            state.realTime?.end(task)
            state.realTime = nil
        }
    }
}
