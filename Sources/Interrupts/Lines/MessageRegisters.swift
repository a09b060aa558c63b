// Where a PCI function keeps its interrupt messages: the MSI capability in its configuration space, or the MSI-X table in
// its memory (PCI Local Bus specification 3.0, 6.8).

import Machine
import Primitives

/// What the device writes, and where (Intel SDM volume 3, 10.11): physical destination, fixed delivery, edge.
struct InterruptMessage: Equatable, Sendable {
    let address: UInt32
    let data: UInt32

    init(apicID: UInt32, vector: UInt8) {
        address = 0xfee0_0000 | (apicID & 0xff) << 12
        data = UInt32(vector)
    }
}

/// The MSI capability of a function, used with one message.
struct MSICapability: Sendable {
    static let identifier: UInt8 = 5
    private static let enable: UInt16 = 1
    private static let multiple: UInt16 = 7 << 4
    private static let is64: UInt16 = 1 << 7
    private static let hasMask: UInt16 = 1 << 8

    let function: PCIAddress
    let offset: UInt8
    private let control: UInt16

    init(_ function: PCIAddress, offset: UInt8) {
        self.function = function
        self.offset = offset
        control = PCIConfiguration.read16(function, offset &+ 2)
    }

    private var dataOffset: UInt8 { offset &+ (control & Self.is64 != 0 ? 12 : 8) }

    /// Nothing where the function has no mask bit: switched off altogether, it would lose what comes meanwhile.
    func setMasked(_ isMasked: Bool) {
        if control & Self.hasMask != 0 {
            PCIConfiguration.write(function, dataOffset &+ 4, isMasked ? 1 : 0)
        }
    }

    func switchOff() { PCIConfiguration.update16(function, offset &+ 2) { $0 & ~Self.enable } }

    func set(_ message: InterruptMessage, isMasked: Bool) {
        PCIConfiguration.write(function, offset &+ 4, message.address)
        if control & Self.is64 != 0 { PCIConfiguration.write(function, offset &+ 8, 0) }
        PCIConfiguration.update16(function, dataOffset) { _ in UInt16(truncatingIfNeeded: message.data) }
        setMasked(isMasked)
        PCIConfiguration.update16(function, offset &+ 2) { $0 & ~Self.multiple | Self.enable }
    }

    func setAddress(_ message: InterruptMessage) {
        PCIConfiguration.write(function, offset &+ 4, message.address)
    }
}

/// One entry of a function's MSI-X table.
struct MSIXEntry: Sendable {
    static let identifier: UInt8 = 17
    static let size = 16
    private static let masked: UInt32 = 1

    /// The table's registers, mapped uncached.
    let table: MMIO
    let index: Int

    private var base: Int { index * Self.size }

    func setMasked(_ isMasked: Bool) { table.write32(base + 12, isMasked ? Self.masked : 0) }

    func set(_ message: InterruptMessage, isMasked: Bool) {
        setMasked(true)
        table.write32(base, message.address)
        table.write32(base + 4, 0)
        table.write32(base + 8, message.data)
        if !isMasked { setMasked(false) }
    }

    func setAddress(_ message: InterruptMessage) { table.write32(base, message.address) }
}
