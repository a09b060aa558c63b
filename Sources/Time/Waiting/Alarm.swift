// A timer that wakes the thread that made it: the end of waits with a deadline.

import Machine
import Primitives
import Synchronization
import Tasks

/// On the stack of a thread that is about to sleep, inside `Alarm.with`.
@safe struct Alarm: ~Copyable {
    /// In the frame of `with`, which outlives the alarm.
    private let bell: UnsafeMutablePointer<Bell>
    private let timer: HighResolutionTimer
    private let deadline: Deadline

    private struct Bell: ~Copyable {
        let thread: Thread
        let hasRung = Atomic<Bool>(false)
    }

    /// Runs `body` with an alarm for `deadline`; the timer starts when `arm` is called.
    static func with<R: ~Copyable>(
        _ deadline: Deadline, _ body: (borrowing Alarm) throws(Errno) -> R
    ) throws(Errno) -> R {
        var bell = Bell(thread: Thread.current)
        return try unsafe withUnsafeMutablePointer(to: &bell) { (bell) throws(Errno) -> R in
            let alarm = unsafe Alarm(bell, deadline)
            defer { alarm.timer.cancel() }
            return try body(alarm)
        }
    }

    private init(_ bell: UnsafeMutablePointer<Bell>, _ deadline: Deadline) {
        unsafe self.bell = unsafe bell
        self.deadline = deadline
        timer = HighResolutionTimer(deadline.clock, word: UInt(bitPattern: bell)) {
            @Sendable _, word in Alarm.ring(word)
        }
    }

    @_noAllocation
    private static func ring(_ word: UInt) -> HighResolutionTimer.Next {
        // The bell's frame cancels the timer before it goes.
        let bell = unsafe UnsafeMutablePointer<Bell>(bitPattern: word).unsafelyUnwrapped
        let thread = unsafe bell.pointee.thread
        unsafe bell.pointee.hasRung.store(true, ordering: .sequentiallyConsistent)
        thread.wake()
        return .done
    }

    /// Starts the timer, or rings at once if the time has passed.
    func arm() {
        if deadline.time == .max { return }
        if deadline.hasPassed {
            unsafe bell.pointee.hasRung.store(true, ordering: .relaxed)
        } else {
            timer.start(at: deadline.time)
        }
    }

    var hasRung: Bool { unsafe bell.pointee.hasRung.load(ordering: .acquiring) }
}
