// RLIMIT_RTTIME: how long a thread with a real-time policy may run without sleeping. At the soft limit, and each second
// of such time above it, its process gets SIGXCPU, at the hard one SIGKILL (getrlimit(2)).
//
// There is no tick that would count. While a process has such a limit, a timer looks at its threads every few milliseconds:
// a thread that has slept since the last look begins anew.

import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// What is known of one thread's time without sleep. Under the lock of its process's signals.
struct RealTimeMark {
    /// How often it had slept, and how long it had run, when the time began.
    private var sleeps = UInt64.max
    private var start: UInt64 = 0

    init() {}

    /// For how many nanoseconds the thread has run as a real-time one without a sleep, as far as looks show it.
    mutating func look(_ thread: Thread) -> UInt64 {
        let now = thread.runtime
        guard thread.scheduling.class.isRealTime, thread.voluntarySwitches == sleeps else {
            sleeps = thread.scheduling.class.isRealTime ? thread.voluntarySwitches : .max
            start = now
            return 0
        }
        return now &- start
    }
}

final class RealTimeLimit: Sendable {
    /// The kernel's own resolution elsewhere, 4 ms, is enough.
    private static let pause: UInt64 = 4_000_000

    private let watch: Watch
    private let timer: SoftTimer

    /// `process` owns the limit, and ends it.
    init(_ process: Process) {
        let watch = Watch(process)
        self.watch = watch
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(watch).toOpaque())
        timer = SoftTimer("rttime", word: word) { _, word in
            // The limit owns the watch, and ends the timer before it goes.
            let opaque = unsafe UnsafeRawPointer(bitPattern: word).unsafelyUnwrapped
            return unsafe Unmanaged<Watch>.fromOpaque(opaque)._withUnsafeGuaranteedRef { $0.look() }
        }
    }

    /// What the timer calls, in a soft IRQ.
    @safe private final class Watch: @unchecked Sendable {
        /// Not owned: the process owns the limit.
        private let process: Unmanaged<Process>
        /// In nanoseconds; `.max` for none. The soft one rises by a second with each signal.
        let soft = Atomic<UInt64>(.max)
        let hard = Atomic<UInt64>(.max)

        init(_ process: Process) { unsafe self.process = Unmanaged.passUnretained(process) }

        func look() -> HighResolutionTimer.Next {
            let soft = soft.load(ordering: .relaxed)
            if soft == .max { return .done }
            let used = unsafe process._withUnsafeGuaranteedRef { $0.longestRealTime }
            if used >= hard.load(ordering: .relaxed) {
                unsafe process._withUnsafeGuaranteedRef { $0.send(.kill) }
                return .done
            }
            if used >= soft {
                unsafe process._withUnsafeGuaranteedRef { $0.send(.cpuLimit) }
                self.soft.store(soft.addingClamped(1_000_000_000), ordering: .relaxed)
            }
            return .again(at: Clock.monotonic.addingClamped(RealTimeLimit.pause))
        }
    }

    /// Puts a limit in microseconds into force. The caller keeps others from doing so.
    func set(_ limit: ResourceLimit, _ task: borrowing TaskContext) {
        timer.stop(task)
        watch.soft.store(.max, ordering: .relaxed)
        guard limit.current != ResourceLimit.infinity else { return }
        watch.hard.store(Self.nanoseconds(limit.maximum), ordering: .relaxed)
        watch.soft.store(Self.nanoseconds(limit.current), ordering: .relaxed)
        timer.start(at: Clock.monotonic.addingClamped(Self.pause))
    }

    /// Stops it for ever.
    func end(_ task: borrowing TaskContext) { timer.end(task) }

    private static func nanoseconds(_ microseconds: UInt64) -> UInt64 {
        let product = microseconds.multipliedReportingOverflow(by: 1000)
        return product.overflow ? .max : product.partialValue
    }
}

extension Process {
    /// The longest that one of the threads has run as a real-time one without sleep. Any context but NMI.
    fileprivate var longestRealTime: UInt64 {
        signals.withLockInterruptsOff { signals, _ in
            var longest: UInt64 = 0
            signals.threads.forEach { task in
                longest = max(longest, task.realTimeMark.look(task.thread))
                return true
            }
            return longest
        }
    }
}
