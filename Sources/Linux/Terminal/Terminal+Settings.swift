// Changing a terminal's settings, its flow and the size of its screen.

import Primitives
import Tasks

extension Terminal {
    var settings: Termios { state.withLock { $0.discipline.termios } }

    /// When new settings take effect (TCSETS, TCSETSW, TCSETSF).
    enum Moment {
        case now, afterOutput, afterOutputFlushingInput
    }

    /// Sets them from `bytes` in `layout`.
    func setSettings(
        _ bytes: Span<UInt8>, _ layout: Termios.Layout, _ moment: Moment, hangUps: UInt?,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        try checkForeground(.terminalOutput)
        if moment != .now { try drain(hangUps: hangUps, task) }
        if moment == .afterOutputFlushingInput { flushInput() }
        var new = settings
        new.take(bytes, layout)
        replaceSettings(new)
    }

    func replaceSettings(_ settings: Termios) {
        var new = settings
        device.apply(&new, was: self.settings)
        let effects = state.withLock { $0.discipline.setTermios(new) }
        carryOut(effects)
        // Modes decide what can be read.
        input.wakeAll()
    }

    func flushInput() {
        state.withLock { $0.discipline.flushInput() }
        unthrottleIfPossible()
    }

    func flushOutput() {
        state.withLock { $0.discipline.echo.removeAll() }
        device.flushOutput()
        output.wakeAll()
    }

    /// tcflow(3).
    func setFlowStopped(_ stopped: Bool) {
        state.withLock { $0.isFlowStopped = stopped }
        updateStopped()
        if !stopped { outputMayContinue() }
    }

    /// tcflow(3) for the other end: sends VSTOP or VSTART.
    func sendFlowCharacter(_ place: Termios.ControlCharacter) {
        let byte = settings[place]
        if byte != 0 { device.sendUrgently(byte) }
    }

    var windowSize: WindowSize { state.withLock { $0.windowSize } }

    /// Sets it, and tells the foreground group if it changed.
    func setWindowSize(_ size: WindowSize) {
        let group = state.withLock { state -> ProcessGroup? in
            guard state.windowSize != size else { return nil }
            state.windowSize = size
            return state.foreground
        }
        group?.signal(.windowChanged)
    }
}
