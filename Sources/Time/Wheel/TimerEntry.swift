// What a `Timer` consists of, and how it is started and stopped.
//
// A timer belongs to the wheels of one CPU: `cpu` says which, and changes only while that base's lock is held. Whoever
// wants the lock of a timer's base takes the lock of the one that `cpu` names and looks again. While the timer's function
// runs, the timer stays with the base that runs it.

import Machine
import Primitives
import Synchronization
import TimerWheel

@unsafe struct TimerEntry: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<TimerEntry>

    /// Place in the wheel. First, so that a node's address is its timer's. Base lock.
    var node = unsafe TimerNode()
    let cpu = Atomic<Int32>(0)
    /// Whether the node is in a wheel. Written under the base's lock.
    let isPending = Atomic<Bool>(false)
    let flags: Timer.Flags
    /// A pinned timer has got its CPU. Base lock.
    var isPlaced = false
    var word: UInt
    let function: Timer.Function

    /// `cpu` while the timer moves between bases.
    static let moving: Int32 = -1

    init(_ flags: Timer.Flags, _ word: UInt, _ function: @escaping Timer.Function) {
        unsafe self.flags = flags
        unsafe self.word = word
        unsafe self.function = function
    }

    // MARK: Starting

    /// Makes the timer fire at `jiffy`, on this CPU if nothing else keeps it where it is.
    /// - Returns: whether it was pending.
    @discardableResult
    static func start(_ timer: Pointer, at jiffy: UInt64) -> Bool {
        withInterruptsOff { off in
            let here = CPU.index
            if let wasPending = unsafe startHere(timer, jiffy, here, off) { return wasPending }
            return unsafe startFromElsewhere(timer, jiffy, here, off)
        }
    }

    /// The usual case: it belongs to this CPU already. nil if it does not.
    @inline(__always)
    private static func startHere(
        _ timer: Pointer, _ jiffy: UInt64, _ here: Int, _ off: borrowing InterruptsOff
    ) -> Bool? {
        guard unsafe Int(timer.pointee.cpu.load(ordering: .acquiring)) == here else { return nil }
        return unsafe TimeState.current.pointee.bases.withRemote(here) { base in
            var isFirst = false
            let wasPending = unsafe base.state.withLock(off) { state -> Bool? in
                guard unsafe Int(timer.pointee.cpu.load(ordering: .relaxed)) == here else { return nil }
                let wasPending = unsafe base.detach(&state, timer)
                isFirst = unsafe base.insert(&state, timer, jiffy)
                return wasPending
            }
            if isFirst { unsafe base.announce(timer.pointee.flags, off) }
            return wasPending
        }
    }

    /// It belongs to another CPU, or to none yet.
    @inline(never)
    private static func startFromElsewhere(
        _ timer: Pointer, _ jiffy: UInt64, _ here: Int, _ off: borrowing InterruptsOff
    ) -> Bool {
        let isPinned = unsafe timer.pointee.flags.contains(.pinned)
        var staysOn = -1
        var isFirst = false
        let wasPending = unsafe withBase(timer, off) { base, state in
            let wasPending = unsafe base.detach(&state, timer)
            let mustStay = unsafe state.running == timer || isPinned && timer.pointee.isPlaced
            if unsafe mustStay || base.cpu == here {
                unsafe staysOn = base.cpu
                isFirst = unsafe base.insert(&state, timer, jiffy)
            } else {
                unsafe timer.pointee.cpu.store(moving, ordering: .relaxed)
            }
            return wasPending
        }
        if staysOn < 0 {
            unsafe put(timer, at: jiffy, on: here, off)
        } else if isFirst {
            unsafe TimerBase.announce(on: staysOn, timer.pointee.flags, off)
        }
        return wasPending
    }

    /// Makes the timer fire on the given CPU.
    static func start(_ timer: Pointer, at jiffy: UInt64, on cpu: Int) {
        withInterruptsOff { off in
            unsafe withBase(timer, off) { base, state in
                unsafe base.detach(&state, timer)
                // One whose function runs would run twice at once.
                if unsafe state.running != timer {
                    unsafe timer.pointee.cpu.store(moving, ordering: .relaxed)
                }
            }
            if unsafe timer.pointee.cpu.load(ordering: .relaxed) == moving {
                unsafe put(timer, at: jiffy, on: cpu, off)
            } else {
                _ = unsafe startFromElsewhere(timer, jiffy, CPU.index, off)
            }
        }
    }

    /// Puts a timer that is moving into a CPU's wheel; into this one's if that is not online.
    static func put(_ timer: Pointer, at jiffy: UInt64, on cpu: Int, _ off: borrowing InterruptsOff) {
        let here = CPU.index
        if unsafe cpu != here && cpu >= 0 && cpu < CPUs.count && attemptPut(timer, jiffy, cpu, here, off) {
            return
        }
        _ = unsafe attemptPut(timer, jiffy, here, here, off)
    }

    /// False if the CPU is not online: its timers are being moved away, or have been.
    private static func attemptPut(
        _ timer: Pointer, _ jiffy: UInt64, _ cpu: Int, _ here: Int, _ off: borrowing InterruptsOff
    ) -> Bool {
        var isFirst = false
        let flags = unsafe timer.pointee.flags
        let isThere = unsafe TimeState.current.pointee.bases.withRemote(cpu) { base in
            unsafe base.state.withLock(off) { state in
                guard cpu == here || CPUs.isOnline(cpu) else { return false }
                unsafe timer.pointee.cpu.store(Int32(truncatingIfNeeded: cpu), ordering: .releasing)
                isFirst = unsafe base.insert(&state, timer, jiffy)
                return true
            }
        }
        if isFirst { unsafe TimerBase.announce(on: cpu, flags, off) }
        return isThere
    }
}
