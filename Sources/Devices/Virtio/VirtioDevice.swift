// A virtio device on PCI: its register windows, the negotiation of features, its queues and its interrupt (Virtual I/O Device
// specification 1.1, 4.1).
//
// The interrupt is an MSI-X message where the device has them, for all queues together; else its pin's line, shared with
// whoever else is on it. The top half wakes who waits; what the device has done is read from the queue.

import Interrupts
import Machine
import Memory
import Primitives
import Synchronization
import Tasks

/// A device by reference to storage that is never freed. Trivial to copy.
@safe struct VirtioDevice: @unchecked Sendable {
    /// Offsets in the common configuration (4.1.4.3).
    private enum Common {
        static let deviceFeatureSelect = 0
        static let deviceFeature = 4
        static let driverFeatureSelect = 8
        static let driverFeature = 12
        static let messageOfConfiguration = 16
        static let status = 20
        static let queueSelect = 22
        static let queueSize = 24
        static let queueMessage = 26
        static let queueEnable = 28
        static let queueNotify = 30
        static let queueDescriptors = 32
        static let queueAvailable = 40
        static let queueUsed = 48
    }

    private enum Status {
        static let acknowledge: UInt8 = 1
        static let driver: UInt8 = 2
        static let driverReady: UInt8 = 4
        static let featuresReady: UInt8 = 8
        static let failed: UInt8 = 128
    }

    private static let vendorCapability: UInt8 = 9
    private static let version1: UInt32 = 1
    private static let noMessage: UInt16 = 0xffff

    /// What the top half needs.
    struct Shared: ~Copyable {
        /// Reading it lets the pin's line fall; nil where messages are used.
        var interruptStatus: MMIO?
        let queue = WaitQueue()
        let interrupts = Atomic<UInt>(0)
    }

    let shared: UnsafeMutablePointer<Shared>
    private let pci: PCIDevice
    private let common: MMIO
    private let notify: MMIO
    private let notifyScale: UInt32
    let configuration: MMIO
    private let hasMessages: Bool

    /// Takes over the device and gets its interrupt; nil, with a line in the log, when it is not whole. Task context.
    init?(_ pci: PCIDevice, name: StaticString) {
        self.pci = pci
        pci.enable(usesPin: true)
        guard let common = Self.region(pci, kind: 1), let notify = Self.region(pci, kind: 2),
            let interrupt = Self.region(pci, kind: 3), let configuration = Self.region(pci, kind: 4)
        else {
            printk(.warning, "virtio: \(name) lacks a register window: left alone")
            return nil
        }
        self.common = common.registers
        self.notify = notify.registers
        notifyScale = PCIConfiguration.read(pci.address, notify.capability &+ 16)
        self.configuration = configuration.registers
        unsafe shared = .allocate(capacity: 1)
        unsafe shared.initialize(to: Shared(interruptStatus: nil))
        let handler = unsafe IRQHandler(name, word: UInt(bitPattern: shared)) { @Sendable _, word in
            Self.interrupt(word)
        }
        do throws(IRQError) {
            if let line = try? pci.makeMessages(1).first {
                hasMessages = true
                _ = try IRQ.request(line: line, handler: handler)
            } else {
                hasMessages = false
                unsafe shared.pointee.interruptStatus = interrupt.registers
                guard let line = pci.interruptLine else { throw .noSuchLine }
                _ = try IRQ.request(line: line, flags: .shared, handler: handler)
            }
        } catch {
            printk(.error, "virtio: \(name) has no interrupt line that could be had")
            return nil
        }
    }

    /// The registers that the capability of that kind names.
    private static func region(_ pci: PCIDevice, kind: UInt8) -> (registers: MMIO, capability: UInt8)? {
        var found: (MMIO, UInt8)?
        pci.eachCapability(vendorCapability) { offset in
            let head = PCIConfiguration.read(pci.address, offset)
            guard UInt8(truncatingIfNeeded: head >> 24) == kind else { return false }
            let window = Int(PCIConfiguration.read8(pci.address, offset &+ 4))
            let start = PCIConfiguration.read(pci.address, offset &+ 8)
            let length = PCIConfiguration.read(pci.address, offset &+ 12)
            guard let base = pci.window(window), length > 0, length <= 1 << 20,
                let mapped = DeviceMapping.map(
                    PhysicalAddress(base.value + UInt64(start)), bytes: UInt(length))
            else { return false }
            found = (MMIO(mapped), offset)
            return true
        }
        return found
    }

    /// The top half.
    @_noAllocation
    private static func interrupt(_ word: UInt) -> IRQReturn {
        // The word of a registered handler is the address of its storage, which lives for ever.
        let shared = unsafe UnsafeMutablePointer<Shared>(bitPattern: word).unsafelyUnwrapped
        if let status = unsafe shared.pointee.interruptStatus, status.read8(0) & 3 == 0 { return .none }
        _ = unsafe shared.pointee.interrupts.wrappingAdd(1, ordering: .releasing)
        unsafe shared.pointee.queue.wakeAll()
        return .handled
    }

    // MARK: Set-up

    private func setStatus(_ bits: UInt8) { common.write8(Common.status, bits) }

    /// Resets the device and agrees on version 1 and nothing else; false if it does not want that.
    func negotiate() -> Bool {
        setStatus(0)
        for _ in 0..<1000 where common.read8(Common.status) != 0 { Delay.microseconds(10) }
        setStatus(Status.acknowledge | Status.driver)
        common.write32(Common.deviceFeatureSelect, 1)
        guard common.read32(Common.deviceFeature) & Self.version1 != 0 else {
            setStatus(Status.failed)
            return false
        }
        for word in 0..<UInt32(2) {
            common.write32(Common.driverFeatureSelect, word)
            common.write32(Common.driverFeature, word == 1 ? Self.version1 : 0)
        }
        let ready = Status.acknowledge | Status.driver | Status.featuresReady
        setStatus(ready)
        return common.read8(Common.status) & Status.featuresReady != 0
    }

    /// Sets queue 0 up, with all interrupts on message 0.
    func makeQueue() -> VirtQueue? {
        common.write16(Common.messageOfConfiguration, Self.noMessage)
        common.write16(Common.queueSelect, 0)
        let size = min(common.read16(Common.queueSize), VirtQueue.maximumSize)
        guard size > 0, size & (size - 1) == 0, let frame = Frames.allocateZeroed() else { return nil }
        let offset = UInt32(common.read16(Common.queueNotify))
        let bell = MMIO(VirtualAddress(notify.base &+ UInt(offset &* notifyScale)))
        let queue = unsafe VirtQueue(frame, size: size, bell: bell)
        common.write16(Common.queueSize, size)
        if hasMessages { common.write16(Common.queueMessage, 0) }
        write64(Common.queueDescriptors, queue.descriptorsAddress)
        write64(Common.queueAvailable, queue.availableAddress)
        write64(Common.queueUsed, queue.usedAddress)
        common.write16(Common.queueEnable, 1)
        return queue
    }

    private func write64(_ offset: Int, _ value: UInt64) {
        common.write32(offset, UInt32(truncatingIfNeeded: value))
        common.write32(offset + 4, UInt32(truncatingIfNeeded: value >> 32))
    }

    /// The device may work now.
    func start() {
        setStatus(
            Status.acknowledge | Status.driver | Status.featuresReady | Status.driverReady)
    }
}
