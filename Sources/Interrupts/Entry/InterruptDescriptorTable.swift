// The interrupt descriptor table, one for all CPUs: a gate for each vector, derived from the map.

#if APUS_KERNEL
    import CMachine
#endif
import Machine

enum InterruptDescriptorTable {
    /// The gate that vector `vector` gets, with its entry code at `entry`.
    static func gate(for vector: Vector, entry: UInt64) throws(GateError) -> GateDescriptor {
        try GateDescriptor(
            offset: entry, type: .interrupt, ist: vector.stack?.rawValue ?? 0, dpl: vector.privilege)
    }

    #if APUS_KERNEL
        /// Fills the table. Once, by the boot CPU.
        static func build() {
            for number in UInt8.min...UInt8.max {
                let vector = Vector(number)
                guard let gate = try? gate(for: vector, entry: entry(of: vector)) else { continue }
                let (low, high) = gate.encoded
                // The table has 512 words; nothing uses it before it is loaded.
                let words = unsafe machine_interrupt_descriptor_table()!
                unsafe words[Int(number) * 2] = low
                unsafe words[Int(number) * 2 + 1] = high
            }
        }

        private static func entry(of vector: Vector) -> UInt64 {
            switch vector.number {
            case 0..<Vector.firstExternal: UInt64(entry_exception(UInt32(vector.number)))
            case Vector.systemCall.number: UInt64(entry_int80())
            case Vector.reschedule.number: UInt64(entry_reschedule())
            default: UInt64(entry_interrupt_stubs()) + UInt64(vector.number - Vector.firstExternal) * 16
            }
        }

        static var address: UInt64 {
            unsafe UInt64(UInt(bitPattern: machine_interrupt_descriptor_table()))
        }
    #endif
}
