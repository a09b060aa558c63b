// The serial ports of a PC: found at their four usual places.

import Interrupts
import Machine
import Primitives

public enum Serial {
    /// Where a PC has its ports, and on which ISA lines.
    private static let places: InlineArray<4, (base: UInt16, line: UInt8)> = [
        (0x3f8, 4), (0x2f8, 3), (0x3e8, 4), (0x2e8, 3),
    ]

    /// The ports that were found, by number. Written once at boot, before their interrupts come.
    nonisolated(unsafe) private static var ports = InlineArray<4, SerialPort?>(repeating: nil)

    /// Port number `index`, if it was found.
    public static func port(_ index: Int) -> SerialPort? {
        guard index >= 0, index < 4 else { return nil }
        // Not written after boot.
        return unsafe ports[index]
    }

    /// Finds the ports, logs them, and lets those interrupt whose line can be had. Boot only, after the
    /// interrupt controllers are set up; allocates. The port that carries the early console keeps it.
    public static func initialize() {
        for index in 0..<4 {
            let place = places[index]
            let uart = UART(base: place.base)
            let model = EarlyConsole.detectAround(uart)
            guard model != .none else { continue }
            let port = SerialPort(uart, model: model, index: index, line: place.line)
            // Boot: nothing else looks at the table yet.
            unsafe ports[index] = port
            start(port)
        }
    }

    private static let names: InlineArray<4, StaticString> = ["ttyS0", "ttyS1", "ttyS2", "ttyS3"]

    private static func start(_ port: SerialPort) {
        printk(
            .info,
            "serial8250: ttyS\(port.index) at I/O 0x\(hex: port.uart.base) (irq = \(port.interruptLine), base_baud = 115200) is a \(port.model.name)"
        )
        port.setLine(SerialLine())
        let handler = IRQHandler(names[port.index], word: UInt(port.index)) { @Sendable _, word in
            Serial.interrupt(word)
        }
        do throws(IRQError) {
            _ = try IRQ.request(line: Int(port.interruptLine), flags: .shared, handler: handler)
            port.switchOn()
        } catch {
            printk(.error, "ttyS\(port.index): interrupt line \(port.interruptLine) cannot be had")
        }
    }

    /// The top half of port `word`.
    @_noAllocation
    private static func interrupt(_ word: UInt) -> IRQReturn {
        guard let port = port(Int(truncatingIfNeeded: word)) else { return .none }
        switch port.serve() {
        case .nothing: return .none
        case .served: return .handled
        case .transmitterIsEmpty:
            port.transmitSoon()
            return .handled
        }
    }
}
