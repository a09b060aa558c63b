// Whether a machine's memory holds what QEMU loads into it. QEMU does not look: with too little, its
// firmware overwrites itself, and the machine resets or hangs without a word.
import Foundation

/// The memory that the kernel's image and the ramdisk take before the kernel's first instruction.
enum MemoryFit {
    /// Firmware and its tables at the top of memory.
    private static let firmware = 1 << 18

    /// Throws when the machine has too little memory to load the kernel. Says nothing about a kernel
    /// that is no ELF file, such as Linux's.
    static func check(_ machine: VirtualMachine) throws {
        guard let data = FileManager.default.contents(atPath: machine.kernel),
            let kernel = try? ElfFile(Array(data)), let memory = bytes(machine.memory)
        else { return }
        let ramdisk = machine.ramdisk.flatMap { FileManager.default.contents(atPath: $0)?.count } ?? 0
        let needed = imageEnd(kernel.segments) + ramdisk + firmware
        guard needed <= memory else {
            let least = (needed + (1 << 20) - 1) >> 20
            throw ToolError("too little memory: loading the kernel and its ramdisk alone takes \(least) MiB")
        }
    }

    /// Where the image ends in physical memory.
    static func imageEnd(_ segments: [ElfFile.Segment]) -> Int {
        let ends = segments.filter { $0.type == ElfFile.Segment.load }.map {
            Int(clamping: $0.physicalAddress.addingReportingOverflow($0.memorySize).partialValue)
        }
        return ends.max() ?? 0
    }

    /// A size as QEMU's `-m` takes it, in bytes; nil when it is none.
    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix(while: \.isNumber)
        let shifts = ["": 20, "k": 10, "m": 20, "g": 30, "t": 40]
        guard let number = Int(digits), let shift = shifts[text.dropFirst(digits.count).lowercased()],
            number < 1 << 20
        else { return nil }
        return number << shift
    }
}
