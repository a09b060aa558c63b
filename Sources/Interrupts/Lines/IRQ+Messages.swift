// Lines that are messages of PCI functions.

import Machine
import Primitives

extension IRQ {
    /// Makes a line of message `index` of a function's MSI-X table, whose registers are mapped at `table`. The caller
    /// switches MSI-X on in the function. Task context; once for each message.
    public static func addMessage(_ function: PCIAddress, table: VirtualAddress, index: Int) throws(IRQError)
        -> Int
    {
        guard index >= 0, index < 2048 else { throw .noMessages }
        let entry = MSIXEntry(table: MMIO(table), index: index)
        entry.setMasked(true)
        return try IRQLines.add(MessageInput(place: .table(entry), function: function))
    }

    /// Makes a line of the one message of the function's MSI capability at `offset`. Task context; once.
    public static func addMessage(_ function: PCIAddress, capability offset: UInt8) throws(IRQError) -> Int {
        let capability = MSICapability(function, offset: offset)
        return try IRQLines.add(MessageInput(place: .capability(capability), function: function))
    }
}
