// From the boot loader's memory map to a running memory room: the kernel's page tables, then the frames.

import CMachine
import Machine
import Memory
import Primitives

enum MemoryStart {
    /// Below this the kernel does not try.
    private static let least: UInt64 = 16 << 20
    /// Where the first instructions of secondary CPUs are copied.
    static let trampoline = PhysicalAddress(0x8000)

    /// Builds and loads the kernel's page tables and gives all free memory to `Frames`.
    static func run(_ boot: BootInformation) {
        let usable = boot.memoryMap.filter { $0.kind == .usable }
        let bytes = usable.reduce(0) { $0 + $1.size }
        if bytes < least {
            bootFailure("too little memory: \(bytes >> 20) MiB usable, Apus needs \(least >> 20) MiB")
        }
        let map = KernelMap(boot.memoryMap, gigabytePages: CPUFeatures.hasGigabytePages)
        machine_write_cr3(map.root)
        Frames.initialize(
            usable: usable.map { PhysicalRange(start: $0.start, end: $0.end) },
            reserved: reserved(boot, kernelEnd: map.end))
        KernelPageTable.initialize(root: PhysicalAddress(map.root))
        printk(
            .info,
            "Memory: \(bytes >> 10) KiB usable, \(Frames.freeCount * 4) KiB free after the kernel's image")
    }

    private static func reserved(_ boot: BootInformation, kernelEnd: UInt64) -> [PhysicalRange] {
        let image = UInt64(boot_kernel_start() - KernelLayout.directMap)
        var ranges = [
            PhysicalRange(start: image, end: kernelEnd),
            PhysicalRange(start: trampoline.value, end: trampoline.value + 4096),
        ]
        if let ramdisk = boot.ramdisk {
            ranges.append(PhysicalRange(start: ramdisk.lowerBound, end: ramdisk.upperBound))
        }
        return ranges
    }
}
