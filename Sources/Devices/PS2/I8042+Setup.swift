// Finding the controller and its ports: self test, configuration, port tests. With interrupts of both ports off.

import Machine
import Primitives

extension I8042 {
    /// What was found.
    struct Ports: Sendable {
        var hasKeyboard: Bool
        var hasMouse: Bool
        /// What the configuration byte is to be, interrupts still off.
        var configuration: UInt8
    }

    /// Tests the controller and its ports, and leaves both ports disabled. Nil, with a line in the log, where there
    /// is none or it is broken. Boot; takes up to a second where something is broken.
    func detect() -> Ports? {
        guard isPresent else {
            printk(.debug, "i8042: no controller")
            return nil
        }
        guard command(.disableKeyboard), command(.disableMouse), flush() else {
            printk(.warning, "i8042: the controller does not answer: left alone")
            return nil
        }
        guard let before = ask(.readConfiguration) else {
            printk(.warning, "i8042: the configuration cannot be read: left alone")
            return nil
        }
        // Others than 0x55 may come while the controller starts.
        guard (0..<5).contains(where: { _ in ask(.testController) == Answer.controllerPassed }) else {
            printk(.warning, "i8042: the controller's self test failed: left alone")
            return nil
        }
        // The self test may have reset it.
        var configuration =
            before | Configuration.translates | Configuration.keyboardDisabled | Configuration.mouseDisabled
        configuration &= ~(Configuration.keyboardInterrupt | Configuration.mouseInterrupt)
        guard setConfiguration(configuration) else { return nil }
        let hasMouse = hasMousePort()
        return Ports(
            hasKeyboard: test(.testKeyboardPort, "keyboard"),
            hasMouse: hasMouse && test(.testMousePort, "mouse"),
            configuration: configuration)
    }

    /// Whether enabling the mouse's port shows in the configuration, as it does where there is one.
    private func hasMousePort() -> Bool {
        guard command(.enableMouse), let enabled = ask(.readConfiguration), command(.disableMouse),
            let disabled = ask(.readConfiguration)
        else { return false }
        return enabled & Configuration.mouseDisabled == 0 && disabled & Configuration.mouseDisabled != 0
    }

    private func test(_ command: Command, _ name: StaticString) -> Bool {
        let answer = ask(command)
        // 0xff too: some controllers have no test.
        if answer == Answer.portPassed || answer == 0xff { return true }
        printk(.warning, "i8042: the test of the \(name) port failed")
        return false
    }
}
