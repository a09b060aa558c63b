// A timer of the wheel and what its function notes and does.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Time

/// Found by its address; the test keeps it until the timer is idle for good.
@safe final class NotedTimer: @unchecked Sendable {
    let runs = Atomic<Int>(0)
    let inside = Atomic<Int>(0)
    let ranAt = Atomic<UInt64>(0)
    let ranOn = Atomic<Int>(-1)
    /// The jiffy for which it was started last.
    let due = Atomic<UInt64>(0)
    /// How often the function starts its timer again, for the jiffy after.
    let again = Atomic<Int>(0)
    private let pointer: UnsafeMutablePointer<Timer>

    init(_ flags: Timer.Flags = []) {
        unsafe pointer = .allocate(capacity: 1)
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        unsafe pointer.initialize(
            to: Timer(flags, word: word) { _, word in
                unsafe Unmanaged<NotedTimer>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
                    ._withUnsafeGuaranteedRef { $0.run() }
            })
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    func with<R>(_ use: (borrowing Timer) -> R) -> R { use(unsafe pointer.pointee) }

    @discardableResult
    func start(in jiffies: UInt64) -> Bool {
        let jiffy = Jiffies.now &+ jiffies
        due.store(jiffy, ordering: .sequentiallyConsistent)
        return with { $0.modify(to: jiffy) }
    }

    /// What `Timer.deleteSync` does, and how often the timer was pending meanwhile.
    func deleteSync() -> Int {
        var count = 0
        while true {
            switch with({ $0.tryToDelete() }) {
            case .cancelled: return count + 1
            case .idle: return count
            case .cancelledWhileRunning: count += 1
            case .running: break
            }
            Spin.pause()
        }
    }

    private func run() {
        SimulatedKernel.check(
            inside.wrappingAdd(1, ordering: .relaxed).oldValue == 0, "runs on two CPUs at once")
        ranAt.store(Clock.monotonic, ordering: .relaxed)
        ranOn.store(CPU.index, ordering: .relaxed)
        runs.wrappingAdd(1, ordering: .relaxed)
        for _ in 0..<5 { Spin.interleave() }
        if again.load(ordering: .relaxed) > 0 {
            again.wrappingSubtract(1, ordering: .relaxed)
            start(in: 1)
        }
        for _ in 0..<3 { Spin.interleave() }
        inside.wrappingSubtract(1, ordering: .relaxed)
    }

    var ran: Int { runs.load(ordering: .acquiring) }
}
