// Keyboard and mouse at work: bytes from the controller, one an interrupt, through the decoders into the input devices.
//
//   line 1 or 12 → top half → decoder of the byte's port → `InputDevice`
//
// Lock: `state` over reading a byte and decoding it, so that bytes of one port keep their order whichever CPU and line
// they come by, and the status read belongs to the byte.

import Interrupts
import Machine
import Primitives
import Time

/// What the rest of the kernel does about keys. Set once at boot.
public enum KeyboardHooks {
    /// Ctrl-Alt-Del was pressed. Hard interrupt context.
    nonisolated(unsafe) public static var controlAltDelete: (@convention(c) () -> Void)? = nil
}

/// How many bytes came from the devices, and what was wrong with some.
public struct PS2Statistics: Sendable {
    public var keyboardBytes: UInt = 0
    public var mouseBytes: UInt = 0
    /// Bytes the controller says were damaged, or that no packet or key can have.
    public var errors: UInt = 0
    /// Interrupts with nothing to read.
    public var empty: UInt = 0
}

public enum PS2 {
    /// Two register numbers.
    private static var controller: I8042 { I8042() }
    private static let keyboardLine = 1
    private static let mouseLine = 12

    /// What the top halves keep.
    private struct State {
        var keyboard: InputDevice?
        var mouse: InputDevice?
        var keyboardDecoder = KeyboardDecoder()
        var mouseDecoder = MouseDecoder()
        var buttons: UInt8 = 0
        var counts = PS2Statistics()
    }

    /// Guards the controller's registers too, from the first interrupt on. Made at boot; interrupts off.
    private static let state = SpinLock(State())

    public static var statistics: PS2Statistics {
        state.withLockInterruptsOff { state, _ in
            var result = state.counts
            result.errors += UInt(state.keyboardDecoder.errors) + UInt(state.mouseDecoder.errors)
            return result
        }
    }

    // MARK: Set-up

    /// Finds the controller and what hangs on it, and lets it interrupt. Boot, once.
    public static func initialize() {
        guard let ports = controller.detect() else { return }
        var configuration = ports.configuration
        if ports.hasKeyboard, startKeyboard() {
            configuration |= I8042.Configuration.keyboardInterrupt
            configuration &= ~I8042.Configuration.keyboardDisabled
        }
        if ports.hasMouse, startMouse() {
            configuration |= I8042.Configuration.mouseInterrupt
            configuration &= ~I8042.Configuration.mouseDisabled
        }
        // What came meanwhile would keep its line up, and no edge would follow.
        controller.flush()
        if !controller.setConfiguration(configuration) {
            printk(.warning, "i8042: the interrupts cannot be switched on")
        }
        let (keyboard, mouse) = state.withLockInterruptsOff { state, _ in (state.keyboard, state.mouse) }
        if let keyboard { InputDevices.add(keyboard) }
        if let mouse { InputDevices.add(mouse) }
    }

    /// Looks for a keyboard and gets its line; whether there is one.
    private static func startKeyboard() -> Bool {
        let device = PS2Device(controller: controller, channel: .keyboard)
        guard controller.command(.enableKeyboard), device.send(PS2Device.Command.disable),
            device.send(PS2Device.Command.enable)
        else { return false }
        var description = InputDescription(
            name: "AT Translated Set 2 keyboard", place: "isa0060/serio0/input0",
            identity: InputIdentity(
                bus: InputIdentity.Bus.i8042, vendor: 1, product: 1, version: 0xab41))
        description.kinds.insert(InputEvent.Kind.key)
        description.kinds.insert(InputEvent.Kind.miscellaneous)
        description.miscellaneous.insert(InputEvent.scanCode)
        description.keys = CodeSet(KeyboardDecoder.allCodes)
        let keyboard = InputDevice(description)
        state.withLockInterruptsOff { state, _ in state.keyboard = keyboard }
        return request(keyboardLine)
    }

    /// Looks for a mouse, learns what it can, and gets its line; whether there is one.
    private static func startMouse() -> Bool {
        let device = PS2Device(controller: controller, channel: .mouse)
        guard controller.command(.enableMouse), device.reset() else { return false }
        let model = learnModel(of: device)
        guard device.send(PS2Device.Command.setRate, 100), device.send(PS2Device.Command.setResolution, 3),
            device.send(PS2Device.Command.setScaling1), device.send(PS2Device.Command.enable)
        else { return false }
        let mouse = InputDevice(description(of: model))
        state.withLockInterruptsOff { state, _ in
            state.mouseDecoder.model = model
            state.mouse = mouse
        }
        return request(mouseLine)
    }

    /// A mouse with a wheel, or one with five buttons, shows itself after certain sequences of rates.
    private static func learnModel(of device: PS2Device) -> MouseDecoder.Model {
        func identifier(after rates: [UInt8]) -> UInt8? {
            for rate in rates where !device.send(PS2Device.Command.setRate, rate) { return nil }
            return device.identify()
        }
        guard identifier(after: [200, 100, 80]) == MouseDecoder.Model.wheel.rawValue else { return .plain }
        return identifier(after: [200, 200, 80]) == MouseDecoder.Model.explorer.rawValue ? .explorer : .wheel
    }

    private static func description(of model: MouseDecoder.Model) -> InputDescription {
        let name: StaticString
        let product: UInt16
        switch model {
        case .plain: (name, product) = ("PS/2 Generic Mouse", 1)
        case .wheel: (name, product) = ("ImPS/2 Generic Wheel Mouse", 5)
        case .explorer: (name, product) = ("ImExPS/2 Generic Explorer Mouse", 6)
        }
        var result = InputDescription(
            name: name, place: "isa0060/serio1/input0",
            identity: InputIdentity(bus: InputIdentity.Bus.i8042, vendor: 2, product: product, version: 0))
        result.kinds.insert(InputEvent.Kind.key)
        result.kinds.insert(InputEvent.Kind.relative)
        result.axes = CodeSet([InputEvent.Axis.x, InputEvent.Axis.y])
        if model != .plain { result.axes.insert(InputEvent.Axis.wheel) }
        for index in 0..<(model == .explorer ? UInt16(5) : 3) {
            result.keys.insert(KeyCode.leftButton + index)
        }
        return result
    }

    private static func request(_ line: Int) -> Bool {
        let handler = IRQHandler("i8042", word: UInt(line)) { @Sendable _, _ in PS2.interrupt() }
        do throws(IRQError) {
            _ = try IRQ.request(line: line, flags: .shared, handler: handler)
            return true
        } catch {
            printk(.error, "i8042: interrupt line \(line) cannot be had")
            return false
        }
    }

    // MARK: The top half

    /// Takes one byte: the controller raises the line again for the next one, so bytes and interrupts are equally many.
    @_semantics("no_performance_analysis") @inline(never)
    private static func interrupt() -> IRQReturn {
        // Made at boot: nothing is allocated here.
        state.withLockInterruptsOff { state, _ in takeByte(&state) }
    }

    @_noAllocation
    private static func takeByte(_ state: inout State) -> IRQReturn {
        let status = controller.control.read8()
        guard status & I8042.Status.outputFull != 0 else {
            state.counts.empty &+= 1
            return .none
        }
        let byte = controller.data.read8()
        let isDamaged = status & (I8042.Status.timeout | I8042.Status.parityError) != 0
        if isDamaged { state.counts.errors &+= 1 }
        if status & I8042.Status.fromMouse != 0 {
            state.counts.mouseBytes &+= 1
            if !isDamaged { takeFromMouse(byte, &state) }
        } else {
            state.counts.keyboardBytes &+= 1
            if !isDamaged { takeFromKeyboard(byte, &state) }
        }
        return .handled
    }

    @_noAllocation
    private static func takeFromKeyboard(_ byte: UInt8, _ state: inout State) {
        guard let device = state.keyboard, let key = state.keyboardDecoder.take(byte) else { return }
        device.report(InputEvent.Kind.miscellaneous, InputEvent.scanCode, Int32(key.scanCode))
        if key.code != 0 { device.reportKey(key.code, isDown: key.isDown) }
        device.synchronize()
        if key.isDown, key.code == KeyCode.delete || key.code == KeyCode.keypadDot {
            noticeControlAltDelete(device)
        }
    }

    @_semantics("no_performance_analysis") @inline(never)
    private static func noticeControlAltDelete(_ device: InputDevice) {
        let down = device.keysDown
        let hasControl = down.contains(KeyCode.leftControl) || down.contains(KeyCode.rightControl)
        let hasAlt = down.contains(KeyCode.leftAlt) || down.contains(KeyCode.rightAlt)
        if hasControl, hasAlt { unsafe KeyboardHooks.controlAltDelete?() }
    }

    @_noAllocation
    private static func takeFromMouse(_ byte: UInt8, _ state: inout State) {
        guard let device = state.mouse,
            let movement = state.mouseDecoder.take(byte, at: Clock.monotonic)
        else { return }
        let changed = movement.buttons ^ state.buttons
        state.buttons = movement.buttons
        for index in 0..<UInt8(5) where changed >> index & 1 != 0 {
            device.reportKey(KeyCode.leftButton &+ UInt16(index), isDown: movement.buttons >> index & 1 != 0)
        }
        if movement.x != 0 { device.report(InputEvent.Kind.relative, InputEvent.Axis.x, movement.x) }
        if movement.y != 0 { device.report(InputEvent.Kind.relative, InputEvent.Axis.y, movement.y) }
        if movement.wheel != 0 {
            device.report(InputEvent.Kind.relative, InputEvent.Axis.wheel, movement.wheel)
        }
        device.synchronize()
    }
}
