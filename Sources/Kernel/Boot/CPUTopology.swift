// Which CPUs there are: the firmware's table, the boot CPU first, as many as the command line allows.

import Machine
import Primitives

struct CPUTopology {
    /// APIC identifiers by CPU number.
    let apicIDs: [UInt32]
    /// Addresses of the CPU areas by CPU number.
    let areas: [UInt]

    /// Decides the CPU numbers and makes the areas. Boot CPU, once.
    /// - Parameters:
    ///   - bootID: the APIC identifier of the CPU that runs this.
    ///   - lastID: the largest identifier that an interrupt can be sent to.
    init(_ madt: MADT?, bootID: UInt32, limit: Int, lastID: UInt32) {
        var identifiers = [bootID]
        let allowed = min(limit, maximumCPUs)
        let others = (madt?.cpus ?? []).filter { $0.apicID != bootID }
        for cpu in others where identifiers.count < allowed && cpu.apicID <= lastID {
            identifiers.append(cpu.apicID)
        }
        if others.count + 1 > identifiers.count {
            printk(.info, "smp: using \(identifiers.count) of \(others.count + 1) CPUs")
        }
        CPUs.setCount(identifiers.count, present: others.count + 1)
        apicIDs = identifiers
        areas = CPUAreas.make(apicIDs: identifiers)
    }
}
