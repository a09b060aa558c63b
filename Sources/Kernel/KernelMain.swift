// The boot CPU's way from assembly to the first program, in order. The one place that knows every room.

import CMachine
import Machine
import KernelTests
import Primitives

@c(apus_kernel_main)
public func kernelMain(startInfo: UInt64, entryTSC: UInt64) {
    EarlyConsole.install()
    printk(.info, "Apus on x86-64")
    if let missing = CPUFeatures.missing() {
        printk(.emergency, "apus: this CPU lacks \(missing), which Apus needs")
        while true { machine_halt() }
    }
    CPUFeatures.enable()
    let info: HVMStartInfo
    do {
        info = try HVMStartInfo(at: startInfo) { physicalLoad($0) }
    } catch {
        printk(.emergency, "apus: boot")
        return
    }
    for entry in info.memoryMap {
        printk(
            .info,
            "memory \(hex: entry.start, digits: 12)-\(hex: entry.end, digits: 12) type \(entry.kind.rawValue)"
        )
    }
    let map = KernelMap(info.memoryMap, gigabytePages: CPUFeatures.hasGigabytePages)
    machine_write_cr3(map.root)
    printk(.info, "kernel map \(hex: map.root) - \(hex: map.end)")
}

func physicalLoad(_ address: UInt64) -> UInt64 {
    unsafe UnsafePointer<UInt64>(bitPattern: UInt(address) + KernelLayout.directMap)!.pointee
}
enum EarlyConsole {
    static func install() {
        unsafe LogHooks.console = { byte in
            while machine_in8(0x3fd) & 0x20 == 0 {}
            machine_out8(0x3f8, byte)
            if byte == 10 { machine_out8(0x3f8, 13) }
        }
    }
}
