// `apus.bench=time`: what timers and clocks cost. One CPU; `./apus bench time` puts Linux's figures beside these.

import CMachine
import Deferred
import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// How many timers' functions have run.
nonisolated(unsafe) private var expired = 0
/// Keeps a reading from being left out.
nonisolated(unsafe) private var lastRead: UInt64 = 0

/// Many timers, which lie still: in pieces, since the heap has none so large.
@safe private struct Field<Element: ~Copyable> {
    private var pieces: [UnsafeMutablePointer<Element>] = unsafe []
    private static var pieceSize: Int { 500 }

    init(_ count: Int, _ make: () -> Element) {
        for _ in 0..<count / Self.pieceSize {
            let piece = UnsafeMutablePointer<Element>.allocate(capacity: Self.pieceSize)
            for index in 0..<Self.pieceSize { unsafe (piece + index).initialize(to: make()) }
            unsafe pieces.append(piece)
        }
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Element> {
        unsafe pieces[index / Self.pieceSize] + index % Self.pieceSize
    }

    func free() {
        for index in unsafe pieces.indices {
            unsafe pieces[index].deinitialize(count: Self.pieceSize)
            unsafe pieces[index].deallocate()
        }
    }
}

enum TimeBench {
    /// How many timers expire together.
    private static let crowd = 10_000
    private static let most = 100_000

    static func run(_ task: borrowing TaskContext) {
        Measurement.calibrate()
        Measurement.run("ktime_read") { unsafe lastRead = Clock.monotonic }
        wheel(task)
        highResolution(task)
    }

    /// Far enough not to expire, at different places.
    private static func jiffy(_ index: Int) -> UInt64 {
        Jiffies.now &+ 100_000 &+ UInt64(truncatingIfNeeded: index &* 7919 % 1_000_003)
    }

    // MARK: The wheel

    private static func wheel(_ task: borrowing TaskContext) {
        let timers = Field<Timer>(most) { Timer { @Sendable _, _ in unsafe expired &+= 1 } }
        var pending = 0
        let names: [(Int, StaticString, StaticString, StaticString)] = [
            (1, "timer_arm_1", "timer_rearm_1", "timer_delete_1"),
            (1000, "timer_arm_1000", "timer_rearm_1000", "timer_delete_1000"),
            (most, "timer_arm_100000", "timer_rearm_100000", "timer_delete_100000"),
        ]
        for (count, arm, rearm, delete) in names {
            while pending < count {
                unsafe timers[pending].pointee.add(at: pending == 0 ? Jiffies.now &+ 90_000 : jiffy(pending))
                pending += 1
            }
            measureWheel(arm, rearm, delete)
        }
        for index in 0..<most { unsafe timers[index].pointee.delete() }
        var expiry = Measurement()
        for _ in 0..<20 {
            unsafe expired = 0
            let due = Jiffies.now &+ 20
            for index in 0..<crowd { unsafe timers[index].pointee.add(at: due) }
            // Without interrupts until they are due, so that all that is measured is what they cost.
            let ticks = withInterruptsOff { _ in
                while Jiffies.now <= due { machine_compiler_barrier() }
                return TSC.read()
            }
            while unsafe expired < crowd, Jiffies.now < due &+ 250 { machine_compiler_barrier() }
            expiry.add(TSC.read() &- ticks)
        }
        expiry.report("timer_expire_of_10000", per: UInt64(crowd))
        timers.free()
    }

    private static func measureWheel(_ arm: StaticString, _ rearm: StaticString, _ delete: StaticString) {
        let timer = Timer { @Sendable _, _ in }
        var arming = Measurement()
        var moving = Measurement()
        var deleting = Measurement()
        for round in 0..<Measurement.rounds {
            let (first, second) = (jiffy(round &* 31), jiffy(round &* 17 &+ 5))
            var start = TSC.read()
            timer.modify(to: first)
            arming.add(TSC.read() &- start)
            start = TSC.read()
            timer.modify(to: second)
            moving.add(TSC.read() &- start)
            start = TSC.read()
            timer.delete()
            deleting.add(TSC.read() &- start)
        }
        arming.report(arm)
        moving.report(rearm)
        deleting.report(delete)
    }

    // MARK: High-resolution timers

    private static func time(_ index: Int) -> UInt64 {
        Clock.monotonic &+ 1_000_000_000_000 &+ UInt64(truncatingIfNeeded: index &* 7919 % 1_000_003) &* 1000
    }

    private static func highResolution(_ task: borrowing TaskContext) {
        let timers = Field<HighResolutionTimer>(most) {
            HighResolutionTimer { @Sendable _, _ in
                unsafe expired &+= 1
                return .done
            }
        }
        var pending = 0
        let names: [(Int, StaticString)] = [
            (1, "hrtimer_start_1"), (1000, "hrtimer_start_1000"), (most, "hrtimer_start_100000"),
        ]
        for (count, name) in names {
            while pending < count {
                unsafe timers[pending].pointee.start(
                    at: pending == 0 ? Clock.monotonic &+ 900_000_000_000 : time(pending))
                pending += 1
            }
            measureStart(name)
        }
        for index in 0..<most { unsafe timers[index].pointee.cancel() }
        measureCrowd(timers)
        timers.free()
    }

    private static func measureStart(_ name: StaticString) {
        let timer = HighResolutionTimer { @Sendable _, _ in .done }
        var starting = Measurement()
        for round in 0..<Measurement.rounds {
            let due = time(round &* 31)
            let start = TSC.read()
            timer.start(at: due)
            starting.add(TSC.read() &- start)
            timer.cancel()
        }
        starting.report(name)
    }

    private static func measureCrowd(_ timers: Field<HighResolutionTimer>) {
        var cancelling = Measurement()
        var expiry = Measurement()
        for _ in 0..<20 {
            for index in 0..<crowd { unsafe timers[index].pointee.start(at: time(index)) }
            var start = TSC.read()
            for index in 0..<crowd { unsafe timers[index].pointee.cancel() }
            cancelling.add(TSC.read() &- start)
            unsafe expired = 0
            let due = Clock.monotonic &+ 50_000_000
            for index in 0..<crowd { unsafe timers[index].pointee.start(at: due &+ UInt64(index % 64)) }
            start = withInterruptsOff { _ in
                while Clock.monotonic < due &+ 1000 { machine_compiler_barrier() }
                return TSC.read()
            }
            while unsafe expired < crowd, Clock.monotonic < due &+ 1_000_000_000 {
                machine_compiler_barrier()
            }
            expiry.add(TSC.read() &- start)
        }
        cancelling.report("hrtimer_cancel_of_10000", per: UInt64(crowd))
        expiry.report("hrtimer_expire_of_10000", per: UInt64(crowd))
    }
}
