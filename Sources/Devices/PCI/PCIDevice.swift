// A function on a PCI bus: who made it, its registers' windows, its capabilities, its interrupts (PCI Local Bus
// specification 3.0, chapter 6).

import Interrupts
import Machine
import Memory
import Primitives

public struct PCIDevice: Sendable {
    public let address: PCIAddress
    public let vendor: UInt16
    public let device: UInt16

    private enum Register {
        static let identifiers: UInt8 = 0x00
        static let command: UInt8 = 0x04
        static let status: UInt8 = 0x06
        static let headerType: UInt8 = 0x0e
        static let firstWindow: UInt8 = 0x10
        static let subsystem: UInt8 = 0x2e
        static let capabilities: UInt8 = 0x34
        static let interruptLine: UInt8 = 0x3c
        static let secondaryBus: UInt8 = 0x19
    }

    private enum Command {
        static let memory: UInt16 = 2
        static let master: UInt16 = 4
        static let interruptDisable: UInt16 = 1 << 10
    }

    /// The function at `address`; nil where nothing answers.
    init?(at address: PCIAddress) {
        let identifiers = PCIConfiguration.read(address, Register.identifiers)
        guard identifiers & 0xffff != 0xffff else { return nil }
        self.address = address
        vendor = UInt16(truncatingIfNeeded: identifiers)
        device = UInt16(truncatingIfNeeded: identifiers >> 16)
    }

    private var headerType: UInt8 { PCIConfiguration.read8(address, Register.headerType) }
    var hasSeveralFunctions: Bool { headerType & 0x80 != 0 }
    /// The bus behind a bridge.
    var secondaryBus: UInt8? {
        headerType & 0x7f == 1 ? PCIConfiguration.read8(address, Register.secondaryBus) : nil
    }
    var subsystem: UInt16 { PCIConfiguration.read16(address, Register.subsystem) }

    /// The line that the firmware wired the function's pin to; nil for none.
    public var interruptLine: Int? {
        let word = PCIConfiguration.read(address, Register.interruptLine)
        let (line, pin) = (UInt8(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 8))
        return pin == 0 || line == 0 || line == 255 ? nil : Int(line)
    }

    /// Lets the function answer to accesses and reach memory; its pin is silent if messages are used.
    func enable(usesPin: Bool) {
        PCIConfiguration.update16(address, Register.command) {
            let on = $0 | Command.memory | Command.master
            return usesPin ? on & ~Command.interruptDisable : on | Command.interruptDisable
        }
    }

    /// The registers of window `index`, mapped; nil where it is not in memory, or not to be had. Task context.
    public func registers(_ index: Int, bytes: UInt) -> MMIO? {
        enable(usesPin: true)
        guard let start = window(index), let mapped = DeviceMapping.map(start, bytes: bytes) else {
            return nil
        }
        return MMIO(mapped)
    }

    /// Makes a line of the function's one message (MSI), and returns its number. Task context; once.
    public func makeMessage() throws(IRQError) -> Int {
        guard let offset = capability(5) else { throw .noMessages }
        enable(usesPin: false)
        return try IRQ.addMessage(address, capability: offset)
    }

    /// Physical address of window `index`, if it lies in memory.
    func window(_ index: Int) -> PhysicalAddress? {
        guard index >= 0, index < 6 else { return nil }
        let offset = Register.firstWindow &+ UInt8(index) &* 4
        let low = PCIConfiguration.read(address, offset)
        if low & 1 != 0 || low & ~15 == 0 { return nil }
        let isWide = low & 6 == 4 && index < 5
        let high = isWide ? PCIConfiguration.read(address, offset &+ 4) : 0
        return PhysicalAddress(UInt64(high) << 32 | UInt64(low & ~15))
    }

    /// Calls `body` with the offset of each capability of that identifier until it answers true.
    func eachCapability(_ identifier: UInt8, _ body: (UInt8) -> Bool) {
        guard PCIConfiguration.read16(address, Register.status) & 16 != 0 else { return }
        var offset = PCIConfiguration.read8(address, Register.capabilities) & 0xfc
        // A list that bites its tail ends too.
        for _ in 0..<48 where offset >= 0x40 {
            let word = PCIConfiguration.read16(address, offset)
            if UInt8(truncatingIfNeeded: word) == identifier, body(offset) { return }
            offset = UInt8(truncatingIfNeeded: word >> 8) & 0xfc
        }
    }

    func capability(_ identifier: UInt8) -> UInt8? {
        var found: UInt8?
        eachCapability(identifier) {
            found = $0
            return true
        }
        return found
    }
}

extension PCIDevice {
    private enum MSIX {
        static let identifier: UInt8 = 17
        static let enable: UInt16 = 1 << 15
        static let maskAll: UInt16 = 1 << 14
        static let size: UInt16 = 0x7ff
    }

    /// Switches MSI-X on and makes lines of the first `count` messages. Task context.
    func makeMessages(_ count: Int) throws(IRQError) -> [Int] {
        guard let offset = capability(MSIX.identifier) else { throw .noMessages }
        let control = PCIConfiguration.read16(address, offset &+ 2)
        guard Int(control & MSIX.size) + 1 >= count else { throw .noMessages }
        let place = PCIConfiguration.read(address, offset &+ 4)
        guard let window = window(Int(place & 7)) else { throw .noMessages }
        let table = PhysicalAddress(window.value + UInt64(place & ~7))
        guard let mapped = DeviceMapping.map(table, bytes: UInt(count * 16)) else { throw .noMemory }
        enable(usesPin: false)
        PCIConfiguration.update16(address, offset &+ 2) { ($0 | MSIX.enable) & ~MSIX.maskAll }
        var lines: [Int] = []
        for index in 0..<count { lines.append(try IRQ.addMessage(address, table: mapped, index: index)) }
        return lines
    }
}
