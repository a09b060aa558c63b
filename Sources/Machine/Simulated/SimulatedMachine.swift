// A simulated machine: CPUs that take turns on one host thread, and a virtual clock.
//
// Each CPU runs on a fiber, and so does each kernel thread; a CPU has at any time one fiber it would go on with. At each
// lock, each turn of a waiting loop and wherever else the code says `Spin.interleave()`, the machine may let another CPU
// go on instead, deliver an interrupt, and lets a little time pass. All of this follows from the seed, so a run replays
// exactly. When every CPU is halted, the clock jumps to the next timer.

import CMachine
import Glibc

/// State that the rooms keep for a whole machine.
@unsafe struct RoomRoots {
    var tasks: UnsafeMutableRawPointer? = nil
    var time: UnsafeMutableRawPointer? = nil
    var deferred: UnsafeMutableRawPointer? = nil
    var crossCPU: UnsafeMutableRawPointer? = nil
    var shootdown: ShootdownRoot.Function? = nil
}

@safe public final class SimulatedMachine: @unchecked Sendable {
    /// Virtual nanoseconds since power-on.
    public internal(set) var clock: UInt64 = 0
    public private(set) var cpus: [SimulatedCPU] = []
    /// What the CPUs' gates lead to: called with interrupts off on the CPU that takes the interrupt.
    public var interruptEntry: ((UInt8) -> Void)?
    /// Whether an interrupt from CPU to CPU gets lost: the receiver and the vector.
    public var losesIPI: ((Int, UInt8) -> Bool)?
    /// CPUs that are switched off and shall start again.
    public var startRequests: Set<Int> = []
    /// What a test hangs on the machine.
    public var attachment: AnyObject?
    /// Interrupts sent from CPU to CPU, the lost ones too.
    public internal(set) var sentIPIs = 0
    /// Commands that reached all CPUs, or all but the sender.
    public internal(set) var sentBroadcasts = 0
    /// Why the run ended before its time.
    public private(set) var failure: String?
    public let seed: UInt64
    public var random: SimulatedRandom
    /// Points at which another CPU could have gone on.
    public private(set) var steps: UInt64 = 0

    var roots = unsafe RoomRoots()
    let cpuSets = CPUSets()
    /// Another CPU goes on once in so many points; each seed has its own.
    private let switchOdds: UInt64
    /// The most time that passes at a point, in nanoseconds.
    private let longestStep: UInt64
    private let stepLimit: UInt64
    private var hostFiber: OpaquePointer?
    private(set) var isRunning = false
    private var boot: ((Int) -> Void)?

    /// A machine that has one CPU made elsewhere and does not run by itself.
    public init() {
        seed = 0
        random = SimulatedRandom(seed: 0)
        switchOdds = 1
        longestStep = 1
        stepLimit = .max
    }

    /// A machine with `cpuCount` CPUs that share `memory`.
    public init(
        cpuCount: Int, seed: UInt64, memory: SimulatedMemory = SimulatedMemory(),
        stepLimit: UInt64 = 20_000_000
    ) {
        self.seed = seed
        self.stepLimit = stepLimit
        random = SimulatedRandom(seed: seed)
        switchOdds = 1 << random.below(6)
        longestStep = 1 << (4 + random.below(8))
        cpus = (0..<cpuCount).map { SimulatedCPU(index: $0, memory: memory, machine: self) }
    }

    // MARK: Running

    /// Runs `boot(cpu)` on each CPU, until some code calls `finish` or the machine fails. One machine at a time on a host
    /// thread.
    public func run(_ boot: @escaping (Int) -> Void) {
        self.boot = boot
        isRunning = true
        unsafe hostFiber = fiber_adopt()
        SimulatedFailureReport.begin(seed: seed, cpus: cpus.count)
        for cpu in cpus { unsafe cpu.fiber = fiber_create { SimulatedMachine.bootFiber($0) } }
        let first = cpus[Int(random.below(UInt64(cpus.count)))]
        first.bind()
        _ = unsafe fiber_switch(hostFiber, first.fiber, 0)
        SimulatedFailureReport.end()
        isRunning = false
        unsafe fiber_free(hostFiber)
        fiber_free_all()
        cpus = []
        self.boot = nil
        interruptEntry = nil
    }

    private static func bootFiber(_ carried: UInt) {
        let cpu = SimulatedCPU.current
        cpu.machine.boot?(cpu.index)
        cpu.machine.fail("the boot code of CPU \(cpu.index) returned")
    }

    /// Ends the run: all CPUs stop where they are.
    public func finish() -> Never {
        _ = unsafe fiber_switch(SimulatedCPU.current.fiber, hostFiber, 0)
        fatalError("a simulated machine went on after its end")
    }

    public func fail(_ why: String) -> Never {
        failure = "\(why) (seed \(seed), \(cpus.count) CPUs, clock \(clock) ns, step \(steps))"
        finish()
    }

    // MARK: Turns

    /// A point at which anything may happen that can happen between two instructions.
    @inline(never)
    func interleave() {
        step()
        SimulatedCPU.current.takeInterrupts()
        if random.oneIn(switchOdds) { letAnotherGoOn() }
    }

    /// The CPU waits for another one: that one, or some other, goes on.
    func pause() {
        step()
        SimulatedCPU.current.takeInterrupts()
        letAnotherGoOn()
    }

    /// Code that touches nothing shared runs for a while; interrupts come in, and other CPUs go on.
    public func work(_ nanoseconds: UInt64) {
        advance(to: clock + nanoseconds)
        interleave()
    }

    /// The running thread may have moved in an interrupt, so the CPU is asked for again.
    private func letAnotherGoOn() {
        let cpu = SimulatedCPU.current
        if let other = randomOther(than: cpu) { hand(from: cpu, to: other) }
    }

    private func step() {
        steps += 1
        if steps > stepLimit { fail("no end in sight") }
        advance(to: clock + 1 + random.below(longestStep))
    }

    /// Sets the clock and raises what its timers raise.
    private func advance(to time: UInt64) {
        clock = time
        for cpu in cpus where cpu.timerDeadline <= time {
            cpu.timerDeadline = .max
            cpu.raise(SimulatedCPU.timerVector)
        }
    }

    private func randomOther(than cpu: SimulatedCPU) -> SimulatedCPU? {
        guard cpus.count > 1 else { return nil }
        let start = Int(random.below(UInt64(cpus.count)))
        for offset in cpus.indices {
            let other = cpus[(start + offset) % cpus.count]
            if other !== cpu, !other.isHalted { return other }
        }
        return nil
    }

    private func hand(from cpu: SimulatedCPU, to other: SimulatedCPU) {
        other.bind()
        _ = unsafe fiber_switch(cpu.fiber, other.fiber, 0)
    }

    /// The CPU sleeps until an interrupt; interrupts are on.
    func halt(_ cpu: SimulatedCPU) {
        cpu.takeInterrupts()
        // What came in before the halt ends it too: the instruction before it kept interrupts off.
        if cpu.interruptsTaken != cpu.interruptsTakenAtHalt { return }
        cpu.isHalted = true
        while cpu.isHalted {
            if let other = randomOther(than: cpu) {
                step()
                hand(from: cpu, to: other)
            } else {
                skipToNextTimer()
            }
        }
        cpu.takeInterrupts()
    }

    private func skipToNextTimer() {
        if cpus.contains(where: { !$0.isHalted }) { return }
        let next = cpus.lazy.map(\.timerDeadline).min() ?? .max
        if next == .max { fail("all CPUs sleep and no timer will wake them") }
        advance(to: max(clock, next))
    }
}
