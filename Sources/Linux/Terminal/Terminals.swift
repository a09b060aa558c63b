// All terminals, which of them is the console, and the names by which programs open them:
// /dev/ttyS0 …, /dev/tty (the controlling terminal), /dev/console.

import Devices
import Primitives

public enum Terminals {
    private struct Table: ~Copyable {
        var all: [Terminal] = []
        var console: Terminal?
        /// By the numbers of the ports.
        var serial = InlineArray<4, Terminal?>(repeating: nil)
    }

    /// Task context; written at boot.
    private static let table = SpinLock(Table())

    /// Makes a terminal of each serial port that was found and chooses the console by the value of `console=`
    /// (`ttyS0,115200n8`); without that word, or if there is no such terminal, the first one is it. Boot only,
    /// when threads run.
    public static func initialize(console value: [UInt8]?) {
        let wanted = ConsoleChoice(value)
        for index in 0..<4 {
            guard let port = Serial.port(index) else { continue }
            add(Terminal.make(on: port, baud: wanted.baud(forSerial: index)), on: port)
        }
        register()
        if let value, !setConsole(wanted.name) {
            printk(.warning, "console=\(value): no such terminal")
        }
    }

    private static func add(_ terminal: Terminal, on port: SerialPort) {
        table.withLock { table in
            table.all.append(terminal)
            table.serial[port.index] = terminal
            if table.console == nil { table.console = terminal }
        }
        port.setReader { @Sendable port, events, _ in Terminals.onSerialPort(port.index)?.serve(port, events)
        }
        DeviceRegistry.register(.characterDevice, terminal.number, TerminalDriver(.terminal(terminal)))
        DeviceRegistry.addNode(terminal.name, .characterDevice, terminal.number, permissions: 0o660)
    }

    private static func register() {
        DeviceRegistry.register(
            .characterDevice, DeviceNumber(major: 5, minor: 0), name: "tty", permissions: 0o666,
            TerminalDriver(.controlling))
        DeviceRegistry.register(
            .characterDevice, DeviceNumber(major: 5, minor: 1), name: "console", permissions: 0o600,
            TerminalDriver(.console))
    }

    /// Makes the terminal of this name what `/dev/console` opens; false if there is none.
    @discardableResult
    public static func setConsole(_ name: [UInt8]) -> Bool {
        table.withLock { table in
            for terminal in table.all where terminal.name == name {
                table.console = terminal
                return true
            }
            return false
        }
    }

    /// The terminal of a serial port.
    private static func onSerialPort(_ index: Int) -> Terminal? { table.withLock { $0.serial[index] } }

    public static var console: Terminal? { table.withLock { $0.console } }
    static var all: [Terminal] { table.withLock { $0.all } }

    /// Sends what is still in the rings of all ports, by polling: the machine is about to stop. Any
    /// context in which nobody else sends.
    public static func drainForShutdown() {
        for index in 0..<4 { Serial.port(index)?.drainPolled() }
    }
}

/// The value of `console=`: a name and perhaps a speed behind a comma.
struct ConsoleChoice: Equatable {
    var name: [UInt8] = []
    var baud: UInt32?

    init(_ value: [UInt8]?) {
        guard let value else { return }
        let comma = value.firstIndex(of: 44) ?? value.count
        name = Array(value[..<comma])
        var speed: UInt32 = 0
        for byte in value.dropFirst(comma + 1) {
            guard byte >= 48, byte <= 57, speed < 100_000_000 else { break }
            speed = speed * 10 + UInt32(byte - 48)
        }
        if speed > 0 { baud = speed }
    }

    /// The speed for a port: what was asked for if it is the console, else as usual.
    func baud(forSerial index: Int) -> UInt32 {
        let isIt = name == Text("ttyS\(index)").bytes
        return isIt ? baud ?? 115_200 : 115_200
    }
}

/// Opens terminals by device node.
final class TerminalDriver: DeviceDriver, @unchecked Sendable {
    enum Which {
        case terminal(Terminal)
        /// The controlling terminal of whoever opens.
        case controlling
        case console
    }

    private let which: Which

    init(_ which: Which) { self.which = which }

    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        switch which {
        case .terminal(let terminal):
            let file = try TerminalFile(terminal, inode, path, flags, isConsole: false)
            if !flags.contains(.noControllingTerminal), file.isReadable { terminal.becomeControllingIfFree() }
            return file
        case .controlling:
            guard let controlling = Caller.task?.process.session.controllingTerminal else {
                throw .noSuchDevice
            }
            // There is no other kind.
            let terminal = unsafe unsafeDowncast(controlling, to: Terminal.self)
            return try TerminalFile(terminal, inode, path, flags, isConsole: false)
        case .console:
            guard let terminal = Terminals.console else { throw .noDevice }
            return try TerminalFile(terminal, inode, path, flags, isConsole: true)
        }
    }
}
