// What was last asked for a thread: class, priority and nice value in one word, so that they can be set in any context
// whatever the thread does just now.
//
// The run queue works with copies of its own (`ThreadStorage.schedulingClass` and so on), which change only while it
// holds its lock: whoever sets the word has the queue that the thread is in read it again, and a thread that is being
// put into a queue has it read there. The word is written before the thread's CPU is read, and the other way round in
// `RunQueue.accept`, so one of the two sees the other.

import Machine
import Primitives
import Synchronization

struct SchedulingWord: Equatable {
    var bits: UInt32

    init(_ schedulingClass: SchedulingClass = .normal, priority: UInt8 = 0, nice: Int8 = 0) {
        bits =
            UInt32(schedulingClass.rawValue) | UInt32(priority) << 8 | UInt32(UInt8(bitPattern: nice)) << 16
    }

    init(bits: UInt32) { self.bits = bits }

    var schedulingClass: SchedulingClass {
        SchedulingClass(rawValue: UInt8(truncatingIfNeeded: bits)) ?? .normal
    }

    var priority: UInt8 { UInt8(truncatingIfNeeded: bits >> 8) }
    var nice: Int8 { Int8(bitPattern: UInt8(truncatingIfNeeded: bits >> 16)) }
}

extension ThreadStorage {
    /// Copies what was asked for to where the run queue reads it. Queue lock held, thread off the books.
    @inline(__always)
    static func takeOver(_ storage: Pointer) {
        let wanted = unsafe storage.pointee.wantedScheduling.load(ordering: .sequentiallyConsistent)
        if unsafe wanted == storage.pointee.scheduling.bits { return }
        unsafe change(storage, to: SchedulingWord(bits: wanted))
    }

    @inline(never)
    private static func change(_ storage: Pointer, to word: SchedulingWord) {
        unsafe storage.pointee.scheduling = word
        let newClass = word.schedulingClass
        unsafe storage.pointee.schedulingClass = newClass
        unsafe storage.pointee.priority = newClass.isRealTime ? min(max(word.priority, 1), 99) : 0
        unsafe storage.pointee.nice = word.nice
        unsafe storage.pointee.weight = newClass == .idle ? .idle : Weight(nice: Int(word.nice))
        unsafe storage.pointee.turnUsed = 0
    }
}

extension Thread {
    private var word: SchedulingWord {
        unsafe SchedulingWord(bits: storage.pointee.wantedScheduling.load(ordering: .relaxed))
    }

    /// Nice value, -20 ... 19.
    public var nice: Int { Int(word.nice) }

    /// The policy by which it gets its CPU, and its priority (1 ... 99 for real-time classes, else 0).
    public var scheduling: (class: SchedulingClass, priority: Int) {
        (word.schedulingClass, Int(word.priority))
    }

    /// Changes the nice value (-20 ... 19, others count as the nearest), which counts while the thread is in no real-time
    /// class. Any context but NMI.
    public func setNice(_ nice: Int) {
        let clamped = Int8(truncatingIfNeeded: min(max(nice, -20), 19))
        set { SchedulingWord($0.schedulingClass, priority: $0.priority, nice: clamped) }
    }

    /// Changes class and priority (1 ... 99 in real-time classes, others count as the nearest), at once: a thread that has
    /// more right to a CPU now gets it. Any context but NMI.
    public func setScheduling(_ newClass: SchedulingClass, priority: Int = 0) {
        let clamped = newClass.isRealTime ? UInt8(min(max(priority, 1), 99)) : 0
        set { SchedulingWord(newClass, priority: clamped, nice: $0.nice) }
    }

    private func set(_ change: (SchedulingWord) -> SchedulingWord) {
        var seen = unsafe storage.pointee.wantedScheduling.load(ordering: .relaxed)
        while true {
            let new = change(SchedulingWord(bits: seen)).bits
            let (exchanged, original) = unsafe storage.pointee.wantedScheduling.compareExchange(
                expected: seen, desired: new, ordering: .sequentiallyConsistent)
            if exchanged { break }
            seen = original
        }
        Spin.interleave()
        var looks: Int? = nil
        unsafe withQueue { queue, threads in
            guard unsafe storage.pointee.isQueued else { return }
            unsafe threads.charge(CycleClock.now)
            unsafe threads.rearrange(storage)
            unsafe queue.publishRealTime(threads)
            unsafe queue.publishLoad(threads)
            looks = cpu
        }
        guard let looks else { return }
        let state = unsafe TaskState.current
        withInterruptsOff { _ in unsafe Scheduler.requestLook(state, looks) }
    }
}
