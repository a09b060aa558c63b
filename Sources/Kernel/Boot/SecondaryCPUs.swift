// Bringing up the other CPUs: INIT to each, start-up IPIs that point at the trampoline, and each one's own way
// into its idle loop (Intel SDM volume 3, 9.4: the MP initialisation protocol).
//
// All of them start at once: each finds its record (area, stack) by its APIC identifier. A CPU that does
// not answer in time is reported and left out; if it comes later it halts at the gate.

import CMachine
import Deferred
import Interrupts
import Machine
import Memory
import Primitives
import Synchronization
import Tasks
import Time

enum SecondaryCPUs {
    /// How far each CPU has come: one exchange decides between "arrived" and "left out".
    private enum Progress {
        static let awaited: UInt32 = 0
        static let arrived: UInt32 = 1
        static let leftOut: UInt32 = 2
    }

    private static let progress = PerCPU<Atomic<UInt32>>(count: CPUs.count) { _ in Atomic(Progress.awaited) }
    /// How long CPUs may take to answer, in units of 100 µs.
    private static let patience = 10_000

    /// Starts CPUs 1 ..< `CPUs.count`, whose areas are made, and waits for them. Boot CPU, before tasks run.
    /// - Parameter deaf: a CPU that is not told, for tests.
    static func start(_ topology: CPUTopology, deaf: Int?) {
        let areas = topology.areas
        let apicIDs = topology.apicIDs
        guard areas.count > 1 else { return }
        // Made here: the secondary CPUs must not be the first to use it.
        precondition(progress.count == areas.count)
        copyTrampoline()
        makeRecords(areas, apicIDs)
        for cpu in 1..<areas.count where cpu != deaf { LocalAPIC.sendINIT(to: apicIDs[cpu]) }
        Delay.microseconds(10_000)
        // The second start-up is for CPUs that missed the first; the others ignore it.
        for attempt in 0..<2 {
            for cpu in 1..<areas.count where !hasArrived(cpu) && cpu != deaf {
                LocalAPIC.sendStartup(to: apicIDs[cpu], page: MemoryStart.trampoline)
            }
            if wait(areas.count, turns: attempt == 0 ? 2_000 : patience) { break }
        }
        report(areas.count, apicIDs)
    }

    /// Starts a CPU that was switched off; whether it has come.
    static func restart(_ cpu: Int) -> Bool {
        progress.withRemote(cpu) { $0.store(Progress.awaited, ordering: .releasing) }
        CPUAreas.reset(cpu)
        guard let apicID = CPUArea.apicID(of: cpu) else { return false }
        LocalAPIC.sendINIT(to: apicID)
        for attempt in 0..<2 where !hasArrived(cpu) {
            // CPUs since the P6 family need no time between the two.
            if attempt > 0 { Delay.microseconds(10_000) }
            LocalAPIC.sendStartup(to: apicID, page: MemoryStart.trampoline)
            for _ in 0..<patience where !hasArrived(cpu) { Delay.microseconds(100) }
        }
        if take(cpu, as: Progress.leftOut) {
            printk(.error, "smp: CPU \(cpu) (APIC \(apicID)) does not come back")
            return false
        }
        while !CPUs.isOnline(cpu) || !Scheduler.onlineCPUs.contains(cpu) { Spin.pause() }
        return true
    }

    /// Switches this CPU off: it takes nothing any more but INIT and a start-up. Interrupts are off.
    static func powerOff() -> Never {
        LocalAPIC.disable()
        while true { Spin.halt() }
    }

    private static func hasArrived(_ cpu: Int) -> Bool {
        progress.withRemote(cpu) { $0.load(ordering: .acquiring) == Progress.arrived }
    }

    private static func wait(_ count: Int, turns: Int) -> Bool {
        for _ in 0..<turns {
            if (1..<count).allSatisfy({ hasArrived($0) }) { return true }
            Delay.microseconds(100)
        }
        return false
    }

    private static func report(_ count: Int, _ apicIDs: [UInt32]) {
        var up = 1
        for cpu in 1..<count {
            if take(cpu, as: Progress.leftOut) {
                printk(.error, "smp: CPU \(cpu) (APIC \(apicIDs[cpu])) does not answer and is left out")
            } else {
                up += 1
            }
        }
        printk(.info, "smp: \(up) of \(count) CPUs are up")
    }

    /// Settles what becomes of a CPU; false if that was settled already.
    private static func take(_ cpu: Int, as outcome: UInt32) -> Bool {
        progress.withRemote(cpu) {
            $0.compareExchange(expected: Progress.awaited, desired: outcome, ordering: .acquiringAndReleasing)
                .exchanged
        }
    }

    private static func copyTrampoline() {
        let size = Int(boot_trampoline_end() - boot_trampoline_start())
        // The page was reserved at boot, and the trampoline is smaller than one.
        unsafe MemoryStart.trampoline.pointer.copyMemory(
            from: UnsafeRawPointer(bitPattern: boot_trampoline_start())!, byteCount: size)
    }

    private static func makeRecords(_ areas: [UInt], _ apicIDs: [UInt32]) {
        // Read by CPUs as they start, now or when they come back: never freed.
        let records = UnsafeMutablePointer<secondary_record>.allocate(capacity: areas.count)
        for cpu in 1..<areas.count {
            guard let stack = KernelStack.allocate(), CPUTables.prepare(area: areas[cpu]) else {
                bootFailure("no memory for the stacks of CPU \(cpu)")
            }
            unsafe records[cpu - 1] = secondary_record(
                apic_id: apicIDs[cpu], index: UInt32(cpu), area: UInt64(areas[cpu]),
                stack: UInt64(stack.top.value))
        }
        unsafe boot_set_secondary_records(records, UInt32(areas.count - 1), KernelPageTable.root.value)
    }

    /// A secondary CPU's first Swift code: on its own stack, interrupts off.
    static func enter(_ cpu: Int) -> Never {
        // First, so that an exception is reported.
        CPUTables.loadPrepared()
        #if APUS_DEBUG_LOCKS
            Lockdep.forgetThisCPU()
        #endif
        CPUFeatures.enable()
        FPU.setUpThisCPU()
        InterruptControllers.enableLocalAPIC()
        if !take(cpu, as: Progress.arrived) { while true { Spin.halt() } }
        Scheduler.enterCPU()
        SoftInterrupts.enterCPU()
        LocalTimer.startThisCPU()
        CPUs.set(cpu, online: true)
        enterIdleLoop()
    }
}

@c(apus_secondary_main)
public func secondaryMain(cpu: UInt32) { SecondaryCPUs.enter(Int(cpu)) }
