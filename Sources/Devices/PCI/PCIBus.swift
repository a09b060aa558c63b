// Finding the functions on the machine's PCI buses, as the firmware has numbered them.

import Machine
import Primitives

public enum PCIBus {
    /// Calls `body` with each function there is. Boot or task context.
    public static func forEach(_ body: (PCIDevice) -> Void) {
        guard PCIAddress.isPresent() else { return }
        var seen = [false]
        visit(0, &seen, body)
    }

    private static func visit(_ bus: UInt8, _ seen: inout [Bool], _ body: (PCIDevice) -> Void) {
        // Bridges that name a bus twice, or each other's, are followed once.
        while seen.count <= Int(bus) { seen.append(false) }
        if seen[Int(bus)] { return }
        seen[Int(bus)] = true
        for device in 0..<UInt8(32) {
            guard let first = PCIDevice(at: PCIAddress(bus: bus, device: device, function: 0)) else {
                continue
            }
            report(first, &seen, body)
            guard first.hasSeveralFunctions else { continue }
            for function in 1..<UInt8(8) {
                let address = PCIAddress(bus: bus, device: device, function: function)
                if let other = PCIDevice(at: address) { report(other, &seen, body) }
            }
        }
    }

    private static func report(_ device: PCIDevice, _ seen: inout [Bool], _ body: (PCIDevice) -> Void) {
        body(device)
        if let bus = device.secondaryBus, bus != 0 { visit(bus, &seen, body) }
    }
}
