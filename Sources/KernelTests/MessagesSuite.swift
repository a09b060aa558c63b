// Lines of a PCI function, by QEMU's educational device, which raises them by a register write: its pin as a device that
// never acknowledges, then the one message of its MSI capability.

import Devices
import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// The device: a register that raises, one that says what was raised, one that acknowledges (QEMU, docs/specs/edu).
private enum EducationalDevice {
    static let vendor: UInt16 = 0x1234
    static let device: UInt16 = 0x11e8
    private static let bytes: UInt = 4096
    private static let status = 0x24
    private static let raise = 0x60
    private static let acknowledge = 0x64

    /// Written by the first case, before its handler is in place.
    nonisolated(unsafe) private static var registers: MMIO? = nil
    nonisolated(unsafe) private static var number = -1

    /// The device with its registers mapped; nil where there is none.
    private static func find() -> PCIDevice? {
        var found: PCIDevice?
        PCIBus.forEach { if $0.vendor == vendor, $0.device == device { found = $0 } }
        if unsafe registers == nil { unsafe registers = found?.registers(0, bytes: bytes) }
        return unsafe registers == nil ? nil : found
    }

    /// The number of its message's line; nil where there is no such device, or it has no message. Its pin is silent from
    /// then on.
    static func open() -> Int? {
        if unsafe number >= 0 { return unsafe number }
        guard let found = find(), let line = try? found.makeMessage() else { return nil }
        unsafe number = line
        return line
    }

    /// The line of its pin; nil where there is no such device, or it uses its message already.
    static func openPin() -> Int? { unsafe number >= 0 ? nil : find()?.interruptLine }

    static func fire() { unsafe registers?.write32(raise, 1) }

    /// Whether it was this device.
    @_noAllocation
    static func serve() -> Bool {
        guard let registers = unsafe registers, registers.read32(status) != 0 else { return false }
        registers.write32(acknowledge, registers.read32(status))
        return true
    }
}

private enum Seen {
    static let handled = Atomic<Int>(0)
    static let cpus = Atomic<UInt64>(0)

    @_semantics("no_performance_analysis")
    static func serve() -> IRQReturn {
        guard EducationalDevice.serve() else { return .none }
        cpus.bitwiseOr(1 << UInt64(CPU.index & 63), ordering: .relaxed)
        handled.wrappingAdd(1, ordering: .releasing)
        return .handled
    }
}

/// Claims what it does not acknowledge.
private let claimer = IRQHandler("stuck") { @Sendable _, _ in
    Seen.handled.wrappingAdd(1, ordering: .relaxed)
    return .handled
}

/// Claims nothing.
private let silent = IRQHandler("silent") { @Sendable _, _ in
    Seen.handled.wrappingAdd(1, ordering: .relaxed)
    return .none
}

/// Computes on the CPU that the pin interrupts, until `isEnough` or ten seconds have gone.
private func compute(_ isEnough: () -> Bool) -> Bool {
    for _ in 0..<1_000_000 where !isEnough() { Delay.microseconds(10) }
    return isEnough()
}

private let owner = IRQHandler("edu") { @Sendable _, _ in Seen.serve() }

/// Raises the message and waits up to two seconds, by the TSC, until the handler has seen it.
private func fire() -> Bool {
    let before = Seen.handled.load(ordering: .acquiring)
    EducationalDevice.fire()
    return comes(after: before)
}

private func comes(after before: Int) -> Bool {
    for _ in 0..<200_000 {
        if Seen.handled.load(ordering: .acquiring) != before { return true }
        Delay.microseconds(10)
    }
    return false
}

extension TestSuite {
    static let messages = TestSuite(
        "messages",
        [
            TestCase("a device that never lets its level go is held back, and the CPU goes on") {
                task, check in
                guard let number = EducationalDevice.openPin() else { return check.skip("no such device") }
                do throws(IRQError) {
                    let line = try IRQ.request(line: number, flags: .shared, handler: claimer)
                    // An 8259 interrupts the boot CPU, and cannot be asked.
                    try? IRQ.setAffinity(line: number, CPUMask(0))
                    Thread.current.bind(to: CPUMask(0))
                    Seen.handled.store(0, ordering: .relaxed)
                    EducationalDevice.fire()
                    // What was held back came again, several times.
                    let came = compute { Seen.handled.load(ordering: .relaxed) > 20_000 }
                    check.expect(came, "the line does not come again")
                    _ = EducationalDevice.serve()
                    let seen = Seen.handled.load(ordering: .relaxed)
                    Thread.sleep(for: 50_000_000, task)
                    let after = Seen.handled.load(ordering: .relaxed)
                    check.expect(after - seen < 1024, "it comes though the device is silent")
                    Thread.current.bind(to: .all)
                    try IRQ.free(line)
                } catch { check.expect(false, "the pin cannot be had") }
            },
            TestCase("a line that nobody claims is disabled and polled") { _, check in
                guard let number = EducationalDevice.openPin() else { return check.skip("no such device") }
                do throws(IRQError) {
                    let line = try IRQ.request(line: number, flags: .shared, handler: silent)
                    let before = InterruptStatistics.total(line: number)
                    EducationalDevice.fire()
                    let isOff = compute { InterruptStatistics.line(number)?.isDisabled == true }
                    check.expect(isOff, "the line is not disabled")
                    check.expect(InterruptStatistics.total(line: number) - before >= 99_900, "too early")
                    let seen = Seen.handled.load(ordering: .relaxed)
                    let isPolled = compute { Seen.handled.load(ordering: .relaxed) > seen + 3 }
                    check.expect(isPolled, "the line is not polled")
                    _ = EducationalDevice.serve()
                    try IRQ.free(line)
                } catch { check.expect(false, "the pin cannot be had") }
            },
            TestCase("each message is handled once, and counted") { _, check in
                guard let number = EducationalDevice.open() else { return check.skip("no such device") }
                do throws(IRQError) {
                    let line = try IRQ.request(line: number, handler: owner)
                    let before = InterruptStatistics.total(line: number)
                    var fired = 0
                    while fired < 5000, fire() { fired += 1 }
                    check.expect(fired, equals: 5000, "messages that came")
                    check.expect(InterruptStatistics.total(line: number) - before, equals: 5000, "counted")
                    try IRQ.free(line)
                    let unowned = InterruptStatistics.unowned
                    EducationalDevice.fire()
                    Delay.microseconds(1000)
                    _ = EducationalDevice.serve()
                    check.expect(InterruptStatistics.unowned, equals: unowned, "came without a handler")
                } catch { check.expect(false, "the message cannot be had") }
            },
            TestCase("a message moves from CPU to CPU") { _, check in
                guard let number = EducationalDevice.open() else { return check.skip("no such device") }
                do throws(IRQError) {
                    let line = try IRQ.request(line: number, handler: owner)
                    for round in 0..<512 {
                        let cpu = round % min(CPUs.onlineCount, 64)
                        try IRQ.setAffinity(line: number, CPUMask(cpu))
                        Seen.cpus.store(0, ordering: .relaxed)
                        check.expect(fire(), "none came on CPU \(cpu)")
                        let seen = Seen.cpus.load(ordering: .relaxed)
                        check.expect(seen, equals: 1 << UInt64(cpu), "CPUs of one message")
                    }
                    try IRQ.free(line)
                } catch { check.expect(false, "the message cannot be had") }
            },
            TestCase("a message that comes while its line is disabled is handled afterwards") { _, check in
                guard let number = EducationalDevice.open() else { return check.skip("no such device") }
                do throws(IRQError) {
                    let line = try IRQ.request(line: number, handler: owner)
                    for _ in 0..<100 {
                        let before = Seen.handled.load(ordering: .acquiring)
                        try IRQ.disable(line: number)
                        EducationalDevice.fire()
                        Delay.microseconds(200)
                        check.expect(
                            Seen.handled.load(ordering: .acquiring), equals: before, "handled while disabled")
                        try IRQ.enable(line: number)
                        check.expect(comes(after: before), "the message is lost")
                    }
                    try IRQ.free(line)
                } catch { check.expect(false, "the message cannot be had") }
            },
        ])
}
