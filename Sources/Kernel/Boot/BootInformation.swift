// What the kernel keeps of the boot protocol: copied before the memory it lies in is given away.

import Machine
import Primitives

struct BootInformation {
    let memoryMap: [MemoryMapEntry]
    let commandLine: CommandLine
    /// Physical range of the initial ramdisk, if there is one.
    let ramdisk: Range<UInt64>?
    /// Physical address of the RSDP, 0 if unknown.
    let rsdp: UInt64
    /// Value of the time stamp counter at the kernel's first 64-bit instructions.
    let entryTSC: UInt64

    /// Linux's limit on x86 (COMMAND_LINE_SIZE).
    private static let commandLineLimit = 2048

    init(startInfo: UInt64, entryTSC: UInt64) {
        self.entryTSC = entryTSC
        let info = Self.read(startInfo)
        memoryMap = info.memoryMap
        rsdp = info.rsdp
        ramdisk = info.ramdisk.map { $0.start..<$0.start + $0.size }
        commandLine = CommandLine(Self.string(at: info.commandLine))
    }

    private static func read(_ startInfo: UInt64) -> HVMStartInfo {
        do {
            return try HVMStartInfo(at: startInfo) { load($0) }
        } catch {
            switch error {
            case .badMagic(let seen):
                bootFailure("not started by the PVH boot protocol: magic \(hex: seen) at \(hex: startInfo)")
            case .noMemoryMap:
                bootFailure(
                    "the boot loader gave no memory map (PVH start info version 1 or newer is needed)")
            }
        }
    }

    /// Eight bytes at a physical address below 4 GiB, which the boot tables map.
    private static func load(_ address: UInt64) -> UInt64 {
        guard address < 0xffff_fff8 else { return 0 }
        // Mapped and readable: below 4 GiB in the boot tables' direct map.
        return unsafe UnsafeRawPointer(bitPattern: UInt(address) + KernelLayout.directMap)!
            .loadUnaligned(as: UInt64.self)
    }

    private static func string(at address: UInt64) -> [UInt8] {
        var text: [UInt8] = []
        guard address != 0 else { return text }
        while text.count < commandLineLimit {
            let byte = UInt8(truncatingIfNeeded: load(address + UInt64(text.count)))
            if byte == 0 { break }
            text.append(byte)
        }
        return text
    }
}
