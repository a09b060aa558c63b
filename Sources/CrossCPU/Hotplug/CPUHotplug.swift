// CPUs that come and go: `echo 0 > /sys/devices/system/cpu/cpu1/online`, and back.
//
// One kernel thread, `cpuhp`, does it all, so that there is one change at a time and none of the threads that move away
// is the one that moves them. Callers sleep until theirs is done.

import Interrupts
import Machine
import Memory
import Primitives
import Synchronization
import Tasks

public enum CPUHotplug {
    /// A step of a room below: called in task context by the thread `cpuhp`, with the CPU's number.
    public typealias Step = @convention(thin) @Sendable (Int, borrowing TaskContext) -> Void

    /// What rooms below do; each set at boot, before the first CPU goes.
    nonisolated(unsafe) private static var up = InlineArray<9, Step?>(repeating: nil)
    nonisolated(unsafe) private static var down = InlineArray<9, Step?>(repeating: nil)
    /// Starts a CPU that is off, and returns whether it has come. Set at boot.
    nonisolated(unsafe) public static var startCPU: (@convention(c) (Int) -> Bool)? = nil
    /// Switches this CPU off, in its idle loop with interrupts off; returns, if at all, when it is on again. Set at boot.
    nonisolated(unsafe) public static var powerOff: (@convention(c) () -> Void)? = nil

    /// Gives a state its callbacks. Boot only.
    public static func register(_ state: CPUState, up: Step? = nil, down: Step? = nil) {
        unsafe self.up[Int(state.rawValue)] = up
        unsafe self.down[Int(state.rawValue)] = down
    }

    /// Makes the thread. Boot CPU, after `Scheduler.enterCPU`. Throws `.noMemory`.
    public static func boot() throws(Errno) {
        unsafe TaskHooks.park = { CPUHotplug.park() }
        let thread = try Thread.create(name: "cpuhp") { (task: borrowing TaskContext) in live(task) }
        unsafe CrossCPUState.current.pointee.hotplug.setThread(thread)
        thread.start()
    }

    /// How far a CPU has come. Any context.
    public static func state(of cpu: Int) -> CPUState {
        CPUState(
            rawValue: unsafe CrossCPUState.current.pointee.hotplug.states.withRemote(cpu) {
                $0.load(ordering: .acquiring)
            }) ?? .offline
    }

    /// Brings a CPU up or down, and returns when it is. `.invalid` for a CPU that does not exist, `.busy` for the boot CPU
    /// and for the last one, `.inputOutput` if it does not start.
    public static func set(_ cpu: Int, online: Bool, _ task: borrowing TaskContext) throws(Errno) {
        guard cpu >= 0, cpu < CPUs.count else { throw .invalid }
        if cpu == 0, !online { throw .busy }
        let request = HotplugRequest(cpu: cpu, online: online)
        let hotplug = unsafe CrossCPUState.current
        unsafe hotplug.pointee.hotplug.add(request)
        request.done.wait(task)
        if let error = request.failure { throw error }
    }

    // MARK: The thread

    /// The thread's life: one request after the other. For ever.
    private static func live(_ task: borrowing TaskContext) {
        while serve(task) {}
    }

    @inline(never)
    private static func serve(_ task: borrowing TaskContext) -> Bool {
        let state = unsafe CrossCPUState.current
        let request = unsafe state.pointee.hotplug.take(task)
        do throws(Errno) {
            if request.online { try bringUp(request.cpu, task) } else { try takeDown(request.cpu, task) }
        } catch { request.fail(error) }
        request.done.complete()
        return true
    }

    private static func note(_ cpu: Int, _ state: CPUState) {
        unsafe CrossCPUState.current.pointee.hotplug.states.withRemote(cpu) {
            $0.store(state.rawValue, ordering: .releasing)
        }
    }

    private static func bringUp(_ cpu: Int, _ task: borrowing TaskContext) throws(Errno) {
        if CPUs.isOnline(cpu) { return }
        for state in CPUState.allCases where state > .offline {
            if state == .running {
                guard unsafe startCPU?(cpu) ?? false else {
                    descend(cpu, from: .vectors, task)
                    throw .inputOutput
                }
            }
            if let step = unsafe up[Int(state.rawValue)] { step(cpu, task) }
            note(cpu, state)
        }
    }

    private static func takeDown(_ cpu: Int, _ task: borrowing TaskContext) throws(Errno) {
        if !CPUs.isOnline(cpu) { return }
        let others = CPUs.online.subtracting(CPUMask(cpu))
        guard !others.isEmpty else { throw .busy }
        Thread.current.bind(to: others)
        while CPU.index == cpu { Scheduler.yield(task) }
        descend(cpu, from: .online, task)
        Thread.current.bind(to: .all)
        printk(.info, "smpboot: CPU \(cpu) is now offline")
    }

    private static func descend(_ cpu: Int, from first: CPUState, _ task: borrowing TaskContext) {
        for state in CPUState.allCases.reversed() where state <= first && state > .offline {
            switch state {
            case .scheduling: Scheduler.deactivate(cpu, task)
            case .calls:
                CPUs.set(cpu, online: false)
                // Who saw it online, with preemption off, has posted his call when this returns.
                Scheduler.visitAll(CPUs.online, then: CPUs.online, task)
                // Who saw it in the scheduler has put his thread there.
                Scheduler.deactivate(cpu, task)
            case .running: stop(cpu, task)
            default: break
            }
            if let step = unsafe down[Int(state.rawValue)] { step(cpu, task) }
            note(cpu, CPUState(rawValue: state.rawValue - 1) ?? .offline)
        }
    }

    private static func stop(_ cpu: Int, _ task: borrowing TaskContext) {
        let state = unsafe CrossCPUState.current
        unsafe state.pointee.hotplug.parked.store(-1, ordering: .relaxed)
        Scheduler.requestPark(cpu)
        while unsafe state.pointee.hotplug.parked.load(ordering: .acquiring) != cpu { Scheduler.yield(task) }
    }

    // MARK: The CPU that goes

    /// In its idle loop, with nothing left to run; interrupts are off.
    private static func park() {
        withInterruptsOff { off in
            CrossCPU.flush(off)
            AddressSpace.leave(off)
        }
        let state = unsafe CrossCPUState.current
        unsafe state.pointee.hotplug.parked.store(CPU.index, ordering: .releasing)
        unsafe powerOff?()
    }
}
