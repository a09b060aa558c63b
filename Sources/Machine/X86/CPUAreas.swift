// The areas of all CPUs: the boot CPU's is static, the others' are made before they start.

import CMachine

public enum CPUAreas {
    /// Bytes between two areas: whole cache lines, so that CPUs do not share any.
    private static let stride = unsafe (MemoryLayout<cpu_area>.size + 127) & ~127

    /// Makes zeroed areas for CPUs 1 ..< `count` with preemption off and their number and APIC identifier set.
    /// Allocates; boot only.
    /// - Returns: the address of the area of CPU 1; the others follow at `stride`.
    private static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * stride, alignment: 128)
    }

    /// The addresses of the areas of CPUs 1 ..< `apicIDs.count`, in order; entry 0 is the boot CPU's.
    public static func make(apicIDs: [UInt32]) -> [UInt] {
        var addresses = [bootArea]
        cpu_area_set_apic_id(apicIDs[0])
        guard apicIDs.count > 1 else { return addresses }
        let base = unsafe allocate(apicIDs.count - 1)
        for cpu in 1..<apicIDs.count {
            // Inside the allocation: it has room for count - 1 areas.
            let area = unsafe (base + (cpu - 1) * stride).bindMemory(to: cpu_area.self, capacity: 1)
            unsafe area.initialize(to: cpu_area())
            unsafe area.pointee.`self` = area
            unsafe area.pointee.index = UInt32(cpu)
            unsafe area.pointee.apic_id = apicIDs[cpu]
            unsafe area.pointee.preempt_count = PreemptCount.noReschedule | PreemptCount.preemption
            addresses.append(UInt(bitPattern: area))
        }
        return addresses
    }

    /// Makes the area of a CPU that has been switched off look as before its first start.
    public static func reset(_ cpu: Int) {
        // The areas of CPUs that have run are known, and this one does not run.
        guard let area = unsafe cpu_area_of(UInt32(truncatingIfNeeded: cpu)) else { return }
        unsafe area.pointee.preempt_count = PreemptCount.noReschedule | PreemptCount.preemption
        unsafe area.pointee.softirq_pending = 0
        unsafe area.pointee.irq_regs = 0
        unsafe area.pointee.address_space = 0
        unsafe area.pointee.user_cycles = 0
        unsafe area.pointee.tlb_lazy = 0
        unsafe area.pointee.tlb_context = 0
        for context in 0..<UInt32(CPU_TLB_CONTEXTS) { unsafe cpu_area_forget_tlb_context(area, context) }
    }

    private static var bootArea: UInt { unsafe UInt(bitPattern: cpu_area_self()) }
}
