// ioctl(2) on a terminal (ioctl_tty(2)).

import Memory
import Primitives
import Tasks
import Time

extension TerminalFile {
    /// Carries out a request. After a hang-up all fail.
    func request(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        if terminal.state.withLock({ $0.hasHungUp(since: hangUps) }) { throw .inputOutput }
        if let result = try settingsRequest(command, argument, task) { return result }
        if let result = try jobControlRequest(command, argument, task) { return result }
        if let result = try flowRequest(command, argument, task) { return result }
        if let result = try modemRequest(command, argument, task) { return result }
        if let result = try terminal.device.ioctl(command, argument, task) { return result }
        throw .notTerminal
    }

    // MARK: Settings

    private func settingsRequest(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? {
        switch command {
        case TerminalRequest.getSettings: return try get(.termios, argument, task)
        case TerminalRequest.getSettings2: return try get(.termios2, argument, task)
        case TerminalRequest.getOldSettings: return try get(.termio, argument, task)
        case TerminalRequest.setSettings: return try set(.termios, .now, argument, task)
        case TerminalRequest.setSettingsWait: return try set(.termios, .afterOutput, argument, task)
        case TerminalRequest.setSettingsFlush:
            return try set(.termios, .afterOutputFlushingInput, argument, task)
        case TerminalRequest.setSettings2: return try set(.termios2, .now, argument, task)
        case TerminalRequest.setSettings2Wait: return try set(.termios2, .afterOutput, argument, task)
        case TerminalRequest.setSettings2Flush:
            return try set(.termios2, .afterOutputFlushingInput, argument, task)
        case TerminalRequest.setOldSettings: return try set(.termio, .now, argument, task)
        case TerminalRequest.setOldSettingsWait: return try set(.termio, .afterOutput, argument, task)
        case TerminalRequest.setOldSettingsFlush:
            return try set(.termio, .afterOutputFlushingInput, argument, task)
        case TerminalRequest.getWindowSize:
            try UserPointer<WindowSize>(argument).store(terminal.windowSize, task)
        case TerminalRequest.setWindowSize:
            terminal.setWindowSize(try UserPointer<WindowSize>(argument).load(task))
        case TerminalRequest.getDiscipline: try UserPointer<Int32>(argument).store(0, task)
        case TerminalRequest.setDiscipline:
            guard try UserPointer<Int32>(argument).load(task) == 0 else { throw .invalid }
        case TerminalRequest.getDeviceNumber:
            try UserPointer<UInt32>(argument).store(terminal.number.encoded, task)
        default: return nil
        }
        return 0
    }

    private func get(
        _ layout: Termios.Layout, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try UserMemory.copyOut(terminal.settings.bytes(layout).span, to: argument, task)
        return 0
    }

    private func set(
        _ layout: Termios.Layout, _ moment: Terminal.Moment, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let bytes = try UserMemory.bytes(at: argument, count: layout.size, task)
        try terminal.setSettings(bytes.span, layout, moment, hangUps: hangUps, task)
        return 0
    }

    // MARK: Job control

    private func jobControlRequest(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? {
        switch command {
        case TerminalRequest.setControlling: try terminal.becomeControlling(steal: argument == 1)
        case TerminalRequest.giveUp: try terminal.giveUp()
        case TerminalRequest.getForeground:
            try UserPointer<Int32>(argument).store(try terminal.foregroundGroup(), task)
        case TerminalRequest.setForeground:
            try terminal.setForegroundGroup(try UserPointer<Int32>(argument).load(task))
        case TerminalRequest.getSession:
            try UserPointer<Int32>(argument).store(try terminal.sessionIdentifier(), task)
        case TerminalRequest.setExclusive: terminal.state.withLock { $0.isExclusive = true }
        case TerminalRequest.clearExclusive: terminal.state.withLock { $0.isExclusive = false }
        case TerminalRequest.getExclusive:
            let isExclusive = terminal.state.withLock { $0.isExclusive }
            try UserPointer<Int32>(argument).store(isExclusive ? 1 : 0, task)
        case TerminalRequest.hangUp:
            guard LinuxTask.current.credentials.has(.administration) else { throw .notPermitted }
            terminal.hangUp()
        case TerminalRequest.simulateInput: try simulate(argument, task)
        default: return nil
        }
        return 0
    }

    /// TIOCSTI: on one's own terminal, or as the superuser.
    private func simulate(_ argument: UInt, _ task: borrowing TaskContext) throws(Errno) {
        let current = LinuxTask.current
        guard
            current.process.session.controllingTerminal === terminal
                || current.credentials.has(.administration)
        else { throw .notPermitted }
        terminal.simulateInput(try UserPointer<UInt8>(argument).load(task))
    }

    // MARK: Flow

    private func flowRequest(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? {
        switch command {
        case TerminalRequest.inputCount:
            let count = terminal.state.withLock { $0.discipline.readableCount }
            try UserPointer<Int32>(argument).store(Int32(truncatingIfNeeded: count), task)
        case TerminalRequest.outputCount:
            try UserPointer<Int32>(argument).store(Int32(truncatingIfNeeded: terminal.pendingOutput), task)
        case TerminalRequest.flush: try flush(argument)
        case TerminalRequest.flow: try flow(argument)
        case TerminalRequest.sendBreak:
            try terminal.checkForeground(.terminalOutput)
            try terminal.drain(hangUps: hangUps, task)
            if argument == 0 { try sendBreak(milliseconds: 250, task) }
        case TerminalRequest.sendBreakTenths:
            try terminal.checkForeground(.terminalOutput)
            try terminal.drain(hangUps: hangUps, task)
            try sendBreak(milliseconds: argument == 0 ? 250 : UInt64(min(argument, 100)) * 100, task)
        case TerminalRequest.beginBreak: terminal.device.setBreak(true)
        case TerminalRequest.endBreak: terminal.device.setBreak(false)
        default: return nil
        }
        return 0
    }

    /// TCIFLUSH, TCOFLUSH, TCIOFLUSH.
    private func flush(_ queue: UInt) throws(Errno) {
        try terminal.checkForeground(.terminalOutput)
        guard queue <= 2 else { throw .invalid }
        if queue != 1 { terminal.flushInput() }
        if queue != 0 { terminal.flushOutput() }
    }

    /// TCOOFF, TCOON, TCIOFF, TCION.
    private func flow(_ action: UInt) throws(Errno) {
        try terminal.checkForeground(.terminalOutput)
        switch action {
        case 0: terminal.setFlowStopped(true)
        case 1: terminal.setFlowStopped(false)
        case 2: terminal.sendFlowCharacter(.stop)
        case 3: terminal.sendFlowCharacter(.start)
        default: throw .invalid
        }
    }

    private func sendBreak(milliseconds: UInt64, _ task: borrowing TaskContext) throws(Errno) {
        terminal.device.setBreak(true)
        defer { terminal.device.setBreak(false) }
        try Thread.sleep(until: .after(milliseconds * 1_000_000), task)
    }

    // MARK: Modem lines

    private func modemRequest(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? {
        let device = terminal.device
        switch command {
        case TerminalRequest.getModem:
            try UserPointer<UInt32>(argument).store(try device.modemLines(), task)
        case TerminalRequest.setModem:
            try device.setModemLines(try UserPointer<UInt32>(argument).load(task))
        case TerminalRequest.setModemBits:
            let bits = try UserPointer<UInt32>(argument).load(task)
            try device.setModemLines(try device.modemLines() | bits)
        case TerminalRequest.clearModemBits:
            let bits = try UserPointer<UInt32>(argument).load(task)
            try device.setModemLines(try device.modemLines() & ~bits)
        case TerminalRequest.getSoftCarrier:
            let isLocal = terminal.settings.control & Termios.Control.local != 0
            try UserPointer<Int32>(argument).store(isLocal ? 1 : 0, task)
        case TerminalRequest.setSoftCarrier:
            var settings = terminal.settings
            let isLocal = try UserPointer<Int32>(argument).load(task) != 0
            settings.control = settings.control & ~Termios.Control.local
            if isLocal { settings.control |= Termios.Control.local }
            terminal.replaceSettings(settings)
        default: return nil
        }
        return 0
    }
}
