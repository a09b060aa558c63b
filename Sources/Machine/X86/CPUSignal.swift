// Interrupts from CPU to CPU, by CPU number.

import CMachine

public enum CPUSignal {
    /// Interrupts `cpu`, which exists, with `vector`. Any context.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func send(_ vector: UInt8, cpu: Int) {
        LocalAPIC.send(vector: vector, to: cpu_area_apic_id_of(UInt32(truncatingIfNeeded: cpu)))
    }

    /// The same where interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func sendInterruptsOff(_ vector: UInt8, cpu: Int) {
        LocalAPIC.sendInterruptsOff(vector: vector, to: cpu_area_apic_id_of(UInt32(truncatingIfNeeded: cpu)))
    }

    /// Interrupts CPUs that one command reaches: `set` is what `LocalAPIC.logicalSet` made. Any context.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func send(_ vector: UInt8, set: UInt32) { LocalAPIC.send(vector: vector, toSet: set) }

    /// The same where interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func sendInterruptsOff(_ vector: UInt8, set: UInt32) {
        LocalAPIC.sendInterruptsOff(vector: vector, toSet: set)
    }

    /// The part of `cpu` in a set; nil if it is in none.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func set(of cpu: Int) -> (cluster: UInt32, set: UInt32)? {
        LocalAPIC.logicalSet(cpu: cpu, apicID: cpu_area_apic_id_of(UInt32(truncatingIfNeeded: cpu)))
    }

    /// The set of those of the CPUs 0 ... 63 whose bits are set, if one command reaches them all and that is known without
    /// looking at each: with the xAPIC, the first eight.
    @inline(__always)
    public static func flatSet(_ bits: UInt64) -> UInt32? {
        bits < 256 && !LocalAPIC.isX2APIC ? UInt32(truncatingIfNeeded: bits) : nil
    }

    /// Interrupts every CPU of the machine but this one. Any context.
    public static func sendToOthers(_ vector: UInt8) { LocalAPIC.sendToOthers(vector: vector) }

    /// Interrupts every CPU of the machine. Any context.
    public static func sendToAll(_ vector: UInt8) { LocalAPIC.sendToAll(vector: vector) }

    /// Interrupts `cpu` with an NMI. Any context.
    public static func sendNMI(cpu: Int) {
        LocalAPIC.sendNMI(to: cpu_area_apic_id_of(UInt32(truncatingIfNeeded: cpu)))
    }
}
