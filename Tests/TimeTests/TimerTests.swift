// Timers of the wheel, on simulated machines under many seeds.

import CrossCPU
@testable import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing
import Time

private typealias Kernel = SimulatedKernel

@Suite(.serialized) struct TimerTests {
    private static let jiffy = Jiffies.length

    /// Computes in long steps.
    private static func work(_ nanoseconds: UInt64) {
        let end = Clock.monotonic + nanoseconds
        Kernel.hog { Clock.monotonic >= end }
    }

    /// Goes to a CPU and stays there.
    private static func go(to cpu: Int, _ task: borrowing TaskContext) {
        Thread.current.bind(to: CPUMask(cpu))
        while CPU.index != cpu { Thread.sleep(for: 100_000, task) }
    }

    @Test func firesOnTimeAtAnyDistance() {
        let failure = Kernel.underSeeds(40) { task in
            for distance: UInt64 in [0, 1, 2, 63, 64, 65, 4095, 4097, 300_000, 20_000_000] {
                let noted = NotedTimer()
                noted.start(in: distance)
                let due = noted.due.load(ordering: .relaxed) * Self.jiffy
                Kernel.sleep(until: max(due, Clock.monotonic) + Self.jiffy + 400_000, task)
                Kernel.check(noted.ran == 1, "\(distance): ran \(noted.ran) times")
                let at = noted.ranAt.load(ordering: .relaxed)
                Kernel.check(at >= due, "\(distance): early by \(Int64(due) - Int64(at))")
                Kernel.check(
                    at <= due + Self.jiffy + 300_000, "\(distance): late by \(Int64(at) - Int64(due))")
            }
        }
        #expect(failure == nil)
    }

    @Test func durationsAreNeverShort() {
        let failure = Kernel.underSeeds(40) { task in
            for duration: UInt64 in [0, 1, 3_999_999, 4_000_000, 4_000_001, 123_456_789] {
                let noted = NotedTimer()
                let start = Clock.monotonic
                noted.with { _ = $0.start(after: duration) }
                Kernel.sleep(until: start + duration + 2 * Self.jiffy + 400_000, task)
                Kernel.check(noted.ran == 1, "\(duration): ran \(noted.ran) times")
                Kernel.check(noted.ranAt.load(ordering: .relaxed) >= start + duration, "early")
            }
            Kernel.check(Jiffies.after(.max) == .max && Jiffies.after(.max - 5) == .max)
        }
        #expect(failure == nil)
    }

    @Test func manyFireEachOnceAndNotEarly() {
        let failure = Kernel.underSeeds(12) { task in
            let timers = (0..<200).map { _ in NotedTimer() }
            Kernel.threads(4, bound: true, task) { index, _ in
                for number in stride(from: index, to: timers.count, by: 4) {
                    timers[number].start(in: Kernel.random(1 << Kernel.random(14)))
                }
            }
            Thread.sleep(for: (1 << 14) * Self.jiffy, task)
            for noted in timers {
                Kernel.check(noted.ran == 1, "ran \(noted.ran) times")
                let due = noted.due.load(ordering: .relaxed) * Self.jiffy
                Kernel.check(noted.ranAt.load(ordering: .relaxed) >= due, "early")
            }
        }
        #expect(failure == nil)
    }

    @Test func deletingAndStartingRace() {
        let failure = Kernel.underSeeds(150) { task in
            let noted = NotedTimer()
            let started = Atomic<Int>(0)
            let deleted = Atomic<Int>(0)
            Kernel.threads(4, bound: true, task) { _, task in
                for _ in 0..<12 {
                    switch Kernel.random(6) {
                    case 0, 1, 2:
                        // One that was pending goes on with the same claim.
                        if !noted.start(in: Kernel.random(2)) { started.wrappingAdd(1, ordering: .relaxed) }
                    case 3:
                        if noted.with({ $0.delete() }) { deleted.wrappingAdd(1, ordering: .relaxed) }
                    case 4:
                        _ = noted.with { $0.modifyIfPending(to: Jiffies.now) }
                    default:
                        deleted.wrappingAdd(noted.deleteSync(), ordering: .relaxed)
                    }
                    Self.work(Kernel.random(3) * 1_500_000)
                }
            }
            deleted.wrappingAdd(noted.deleteSync(), ordering: .relaxed)
            Kernel.check(noted.inside.load(ordering: .relaxed) == 0, "still running after deleteSync")
            let (ins, outs) = (started.load(ordering: .relaxed), deleted.load(ordering: .relaxed))
            Kernel.check(noted.ran == ins - outs, "\(ins) started, \(outs) deleted, \(noted.ran) ran")
            Thread.sleep(for: 3 * Self.jiffy, task)
            Kernel.check(noted.ran == ins - outs, "ran after deleteSync")
        }
        #expect(failure == nil)
    }

    @Test func aFunctionMayStartItsTimerAgain() {
        let failure = Kernel.underSeeds(60) { task in
            let noted = NotedTimer()
            noted.again.store(9, ordering: .relaxed)
            noted.start(in: 1)
            Self.work(3 * Self.jiffy)
            Thread.sleep(for: 20 * Self.jiffy, task)
            Kernel.check(noted.ran == 10, "ran \(noted.ran) times")
            noted.again.store(1_000_000, ordering: .relaxed)
            noted.start(in: 0)
            Thread.sleep(for: 2 * Self.jiffy, task)
            noted.with { _ = $0.deleteSync() }
            let ran = noted.ran
            Thread.sleep(for: 4 * Self.jiffy, task)
            Kernel.check(noted.ran == ran, "goes on after deleteSync")
        }
        #expect(failure == nil)
    }

    @Test func aFunctionMayFreeItsTimer() {
        let failure = Kernel.underSeeds(60) { task in
            let freed = Freed()
            for distance in 0..<20 as Range<UInt64> { FreesItself.start(freed, in: distance % 5) }
            Thread.sleep(for: 8 * Self.jiffy, task)
            Kernel.check(freed.count.load(ordering: .acquiring) == 20, "not all were freed")
        }
        #expect(failure == nil)
    }

    @Test func onTheCPUAskedFor() {
        let failure = Kernel.underSeeds(60, cpus: [2, 4]) { task in
            let last = CPUs.count - 1
            for _ in 0..<4 {
                Self.go(to: 0, task)
                let noted = NotedTimer()
                noted.with { $0.add(at: Jiffies.now + 1 + Kernel.random(3), on: last) }
                let pinned = NotedTimer(.pinned)
                pinned.with { $0.add(at: Jiffies.now + 500, on: last) }
                _ = pinned.with { $0.modify(to: Jiffies.now + 2) }
                let own = NotedTimer()
                own.start(in: 2)
                Thread.sleep(for: 7 * Self.jiffy, task)
                Kernel.check(noted.ran == 1 && noted.ranOn.load(ordering: .relaxed) == last, "not there")
                Kernel.check(pinned.ran == 1 && pinned.ranOn.load(ordering: .relaxed) == last, "not pinned")
                Kernel.check(own.ran == 1 && own.ranOn.load(ordering: .relaxed) == 0, "not here")
            }
            let nowhere = NotedTimer()
            nowhere.with { $0.add(at: Jiffies.now, on: 77) }
            Thread.sleep(for: 2 * Self.jiffy, task)
            Kernel.check(nowhere.ran == 1, "lost")
        }
        #expect(failure == nil)
    }

    @Test func deferrableOnesDoNotWakeAnIdleCPU() {
        let failure = Kernel.underSeeds(60, cpus: [2, 4]) { task in
            Self.go(to: 0, task)
            let noted = NotedTimer(.deferrable)
            noted.with { $0.add(at: Jiffies.now + 2, on: 1) }
            Thread.sleep(for: 100 * Self.jiffy, task)
            // Others' balancing may have given it something to do.
            if Scheduler.statistics(cpu: 1).idle > 90 * Self.jiffy {
                Kernel.check(noted.ran == 0, "woken")
            }
            Kernel.start(on: CPUMask(1)) { _ in Self.work(2 * Self.jiffy) }
            Thread.sleep(for: 6 * Self.jiffy, task)
            Kernel.check(noted.ran == 1, "not run on a busy CPU")
            // On time where the CPU is busy.
            Kernel.start(on: CPUMask(1)) { _ in
                noted.start(in: 3)
                Self.work(6 * Self.jiffy)
            }
            Thread.sleep(for: 20 * Self.jiffy, task)
            Kernel.check(noted.ran == 2, "not run")
            let due = noted.due.load(ordering: .relaxed) * Self.jiffy
            let at = noted.ranAt.load(ordering: .relaxed)
            Kernel.check(at >= due && at <= due + Self.jiffy, "not on time")
        }
        #expect(failure == nil)
    }

    @Test func theyLeaveACPUThatGoes() {
        let failure = Kernel.underSeeds(4, cpus: [2, 4]) { task in
            Self.go(to: 0, task)
            let timers = (0..<30).map { _ in NotedTimer() }
            for (index, noted) in timers.enumerated() {
                let jiffy = Jiffies.now + 1 + Kernel.random(4)
                noted.due.store(jiffy, ordering: .relaxed)
                noted.with { $0.add(at: jiffy, on: index % 2) }
            }
            Self.work(Kernel.random(2) * Self.jiffy)
            do throws(Errno) {
                try CPUHotplug.set(1, online: false, task)
            } catch {
                Kernel.check(false, "does not go: \(error)")
            }
            let late = NotedTimer()
            late.with { $0.add(at: Jiffies.now + 1, on: 1) }
            Thread.sleep(for: 7 * Self.jiffy, task)
            for noted in timers {
                Kernel.check(noted.ran == 1, "ran \(noted.ran) times")
                let due = noted.due.load(ordering: .relaxed) * Self.jiffy
                Kernel.check(noted.ranAt.load(ordering: .relaxed) >= due, "early")
            }
            Kernel.check(
                late.ran == 1 && late.ranOn.load(ordering: .relaxed) != 1, "runs on a CPU that is off")
            do throws(Errno) {
                try CPUHotplug.set(1, online: true, task)
            } catch {
                Kernel.check(false, "does not come back: \(error)")
            }
            late.with { $0.add(at: Jiffies.now + 1, on: 1) }
            Thread.sleep(for: 5 * Self.jiffy, task)
            Kernel.check(late.ran == 2 && late.ranOn.load(ordering: .relaxed) == 1, "not back")
        }
        #expect(failure == nil)
    }

    @Test func whoSleepsFarAheadIsNotBotheredBefore() {
        // One timer a year ahead: interrupts for the levels it passes, and none else.
        let failure = Kernel.underSeeds(3, cpus: [1]) { task in
            let year = 365 * 24 * 3600 * Jiffies.perSecond
            let noted = NotedTimer()
            noted.start(in: year)
            let before = SimulatedCPU.current.interruptsTaken
            Thread.sleep(for: year * Self.jiffy + Self.jiffy, task)
            Kernel.check(noted.ran == 1, "ran \(noted.ran) times")
            let interrupts = SimulatedCPU.current.interruptsTaken - before
            Kernel.check(interrupts < 40, "\(interrupts) interrupts")
        }
        #expect(failure == nil)
    }
}

/// Counts objects that are gone.
private final class Freed: Sendable {
    let count = Atomic<Int>(0)
}

/// An object whose timer's function gives it up.
@safe private final class FreesItself: @unchecked Sendable {
    private let freed: Freed
    private let pointer: UnsafeMutablePointer<Timer>

    static func start(_ freed: Freed, in jiffies: UInt64) {
        let object = FreesItself(freed)
        let word = unsafe UInt(bitPattern: Unmanaged.passRetained(object).toOpaque())
        unsafe object.pointer.initialize(
            to: Timer(word: word) { _, word in
                unsafe Unmanaged<FreesItself>.fromOpaque(UnsafeRawPointer(bitPattern: word)!).release()
            })
        unsafe object.pointer.pointee.add(at: Jiffies.now + jiffies)
    }

    private init(_ freed: Freed) {
        self.freed = freed
        unsafe pointer = .allocate(capacity: 1)
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
        freed.count.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
}
