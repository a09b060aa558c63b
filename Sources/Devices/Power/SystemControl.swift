// The ACPI interrupt (SCI), usually line 9, level: fixed events of PM1, of which the buttons are used.
//
// General-purpose events need the firmware's byte code, for which there is no interpreter: they are switched off, and one
// that comes all the same is cleared and switched off again, so that the line falls.
//
// The power button is an input device, as in Linux. `PowerHooks.buttonPressed` says what is done where no program listens
// to that.

import Deferred
import Interrupts
import Machine
import Primitives

/// What the rest of the kernel does about buttons. Set once at boot.
public enum PowerHooks {
    /// The power button was pressed and no program has its input device open. Task context.
    nonisolated(unsafe) public static var buttonPressed: (@convention(c) () -> Void)? = nil
}

public enum SystemControl {
    /// Bits of PM1's status and enable registers.
    private enum Event {
        static let powerButton: UInt16 = 1 << 8
        static let sleepButton: UInt16 = 1 << 9
    }

    /// How often what came since boot, as /sys/firmware/acpi/interrupts shows it.
    public struct Statistics: Sendable {
        /// Interrupts that an event stood behind, and such that none did.
        public var handled: UInt64 = 0
        public var foreign: UInt64 = 0
        public var powerButton: UInt64 = 0
        public var sleepButton: UInt64 = 0
        public var general: UInt64 = 0
    }

    private struct State {
        var events = InlineArray<2, SystemControlRegisters.Block?>(repeating: nil)
        var general = InlineArray<32, SystemControlRegisters.Block?>(repeating: nil)
        var button: InputDevice?
        var statistics = Statistics()
    }

    /// Guards the registers. Interrupts off.
    private static let state = SpinLock(State())
    private static let pressed = Work("power button") { @Sendable _, _ in SystemControl.tellPressed() }

    public static var statistics: Statistics { state.withLockInterruptsOff { state, _ in state.statistics } }

    // MARK: Set-up

    /// Switches to ACPI mode, gets the line and switches the buttons on. Boot, once.
    public static func initialize(_ registers: SystemControlRegisters?) {
        guard let registers else { return printk(.debug, "ACPI: no fixed events") }
        // Made now: a top half must not be the first to use it.
        _ = pressed.isPending
        state.withLockInterruptsOff { state, _ in
            for index in 0..<min(registers.events.count, 2) { state.events[index] = registers.events[index] }
            for index in 0..<min(registers.general.count, 32) {
                state.general[index] = registers.general[index]
            }
            silence(&state)
        }
        guard Platform.enterACPIMode() else {
            return printk(.warning, "ACPI: the machine does not enter ACPI mode: no events")
        }
        let handler = IRQHandler("acpi") { @Sendable _, _ in SystemControl.interrupt() }
        do throws(IRQError) {
            _ = try IRQ.request(line: registers.line, flags: registers.flags, handler: handler)
        } catch { return printk(.warning, "ACPI: interrupt line \(registers.line) cannot be had") }
        if registers.hasPowerButton { addPowerButton() }
        if registers.hasSleepButton { switchOn(Event.sleepButton) }
    }

    /// Nothing interrupts, and nothing is left from before.
    private static func silence(_ state: inout State) {
        for index in 0..<2 {
            guard let block = state.events[index] else { continue }
            block.enable.write16(0)
            block.status.write16(block.status.read16())
        }
        for index in 0..<32 {
            guard let block = state.general[index] else { continue }
            block.enable.write8(0)
            block.status.write8(block.status.read8())
        }
    }

    private static func addPowerButton() {
        var description = InputDescription(
            name: "Power Button", place: "LNXPWRBN/button/input0",
            identity: InputIdentity(bus: InputIdentity.Bus.host, vendor: 0, product: 1, version: 0))
        description.kinds.insert(InputEvent.Kind.key)
        description.keys.insert(KeyCode.power)
        let button = InputDevice(description)
        InputDevices.add(button)
        state.withLockInterruptsOff { state, _ in state.button = button }
        switchOn(Event.powerButton)
    }

    private static func switchOn(_ event: UInt16) {
        state.withLockInterruptsOff { state, _ in
            guard let block = state.events[0] else { return }
            block.enable.write16(block.enable.read16() | event)
        }
    }

    // MARK: The top half

    @_semantics("no_performance_analysis") @inline(never)
    private static func interrupt() -> IRQReturn {
        let came = state.withLockInterruptsOff { state, _ in takeEvents(&state) }
        guard let came else { return .none }
        if came & Event.powerButton != 0 { pressed.schedule() }
        return .handled
    }

    /// Clears and counts what stands in the status registers; nil if it was nothing.
    @_noAllocation
    private static func takeEvents(_ state: inout State) -> UInt16? {
        var came: UInt16 = 0
        for index in 0..<2 {
            guard let block = state.events[index] else { continue }
            let events = block.status.read16() & block.enable.read16()
            if events != 0 { block.status.write16(events) }
            came |= events
        }
        let generalCount = takeGeneral(&state)
        guard came != 0 || generalCount > 0 else {
            state.statistics.foreign &+= 1
            return nil
        }
        state.statistics.handled &+= 1
        state.statistics.general &+= generalCount
        if came & Event.sleepButton != 0 { state.statistics.sleepButton &+= 1 }
        if came & Event.powerButton != 0 {
            state.statistics.powerButton &+= 1
            if let button = state.button {
                button.reportKey(KeyCode.power, isDown: true)
                button.synchronize()
                button.reportKey(KeyCode.power, isDown: false)
                button.synchronize()
            }
        }
        return came
    }

    @_noAllocation
    private static func takeGeneral(_ state: inout State) -> UInt64 {
        var count: UInt64 = 0
        for index in 0..<32 {
            guard let block = state.general[index] else { break }
            let enabled = block.enable.read8()
            if enabled == 0 { continue }
            let events = block.status.read8() & enabled
            block.enable.write8(enabled & ~events)
            block.status.write8(events)
            count &+= UInt64(events.nonzeroBitCount)
        }
        return count
    }

    /// Task context.
    private static func tellPressed() {
        let button = state.withLockInterruptsOff { state, _ in state.button }
        guard let button, !button.isOpen else { return printk(.info, "ACPI: power button pressed") }
        printk(.notice, "ACPI: power button pressed, and no program listens to it")
        unsafe PowerHooks.buttonPressed?()
    }
}
