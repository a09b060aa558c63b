// The virtio devices of the machine, found on its PCI buses.

import Machine
import Primitives

public enum Virtio {
    private static let vendor: UInt16 = 0x1af4
    /// Modern devices have 0x1040 plus their type as number, transitional ones 0x1000 to 0x103f and the type in the
    /// subsystem's number (4.1.2).
    private static let modern: ClosedRange<UInt16> = 0x1040...0x107f
    private static let transitional: ClosedRange<UInt16> = 0x1000...0x103f

    private enum Kind {
        static let block: UInt16 = 2
        static let entropy: UInt16 = 4
    }

    /// Written once at boot; read afterwards.
    nonisolated(unsafe) public private(set) static var disks: [VirtioBlock] = []
    nonisolated(unsafe) public private(set) static var entropySources: [VirtioEntropy] = []

    /// Finds the devices and sets them up. Task context, once.
    public static func initialize(_ task: borrowing TaskContext) {
        PCIBus.forEach { device in
            switch kind(device) {
            case Kind.block: if let disk = VirtioBlock(device) { add(disk) }
            case Kind.entropy: if let source = VirtioEntropy(device) { add(source) }
            default: break
            }
        }
    }

    private static func kind(_ device: PCIDevice) -> UInt16? {
        guard device.vendor == vendor else { return nil }
        if modern.contains(device.device) { return device.device - modern.lowerBound }
        return transitional.contains(device.device) ? device.subsystem : nil
    }

    private static func add(_ disk: VirtioBlock) {
        printk(.info, "virtio-blk: \(disk.sectorCount) sectors of 512 bytes, read only")
        unsafe disks.append(disk)
    }

    private static func add(_ source: VirtioEntropy) {
        printk(.info, "virtio-rng: a source of entropy")
        unsafe entropySources.append(source)
    }
}
