// What the device received goes through the line discipline, and what that wants done is done.

import Primitives
import Tasks

extension Terminal {
    /// One received byte, seen and then taken by the terminal when it can.
    struct Received {
        var byte: UInt8
        var condition: LineDiscipline.Condition
    }

    /// Bytes processed before the lock is let go.
    private static let batch = 256

    /// Takes everything the device has, or as much as there is room for. One caller at a time;
    /// `peek` shows the next byte, `drop` takes it.
    func acceptInput(peek: () -> Received?, drop: () -> Void) {
        var goesOn = true
        while goesOn {
            var effects: LineDiscipline.Effects = []
            goesOn = state.withLock { state in
                defer { pumpEcho(&state) }
                return feed(&state, peek, drop, &effects)
            }
            carryOut(effects)
        }
    }

    /// One batch; true if there may be more.
    private func feed(
        _ state: inout State, _ peek: () -> Received?, _ drop: () -> Void,
        _ effects: inout LineDiscipline.Effects
    ) -> Bool {
        for _ in 0..<Self.batch {
            guard let next = peek() else { return false }
            let result = state.discipline.receive(next.byte, next.condition)
            if result.contains(.full) {
                state.isInputBlocked = true
                effects.insert(.throttle)
                return false
            }
            drop()
            effects.formUnion(result)
            // Signals go out before what follows them is looked at.
            if !result.isDisjoint(with: .signals) { return true }
        }
        return true
    }

    /// Input as if typed (TIOCSTI).
    func simulateInput(_ byte: UInt8) {
        var effects: LineDiscipline.Effects = []
        state.withLock { state in
            effects = state.discipline.receive(byte)
            pumpEcho(&state)
        }
        carryOut(effects)
    }

    /// Does what the line discipline asked for. Without the lock.
    func carryOut(_ effects: LineDiscipline.Effects) {
        if effects.contains(.flushOutput) { device.flushOutput() }
        if !effects.isDisjoint(with: [.stopOutput, .startOutput]) { updateStopped() }
        if effects.contains(.interrupt) { signalForeground(.interrupt) }
        if effects.contains(.quit) { signalForeground(.quit) }
        if effects.contains(.suspend) { signalForeground(.terminalStop) }
        if effects.contains(.throttle) { throttle() }
        if effects.contains(.readable) { input.wakeAll() }
        if !effects.isDisjoint(with: [.flushOutput, .startOutput]) { outputMayContinue() }
    }

    /// Tells the device whether output is held back.
    func updateStopped() {
        let stopped = state.withLock { $0.discipline.isStopped || $0.isFlowStopped }
        device.setStopped(stopped)
    }

    func signalForeground(_ signal: Signal) {
        // Sent outside the lock: it takes the process table's.
        let group = state.withLock { $0.foreground }
        group?.signal(signal)
    }

    /// Asks the sender to pause, once (IXOFF, CRTSCTS).
    private func throttle() {
        let stop = state.withLock { state -> UInt8? in
            guard !state.discipline.isThrottled else { return nil }
            state.discipline.isThrottled = true
            let settings = state.discipline.termios
            return settings.input.contains(.startStopInput) ? settings[.stop] : 0
        }
        guard let stop else { return }
        if stop != 0 { device.sendUrgently(stop) }
        device.setReceiving(false)
    }

    /// Room has come by reading or flushing: lets the sender go on.
    func unthrottleIfPossible() {
        let (wasBlocked, start) = state.withLock { state -> (Bool, UInt8?) in
            let wasBlocked = state.isInputBlocked
            state.isInputBlocked = false
            guard state.discipline.canUnthrottle else { return (wasBlocked, nil) }
            state.discipline.isThrottled = false
            let settings = state.discipline.termios
            return (wasBlocked, settings.input.contains(.startStopInput) ? settings[.start] : 0)
        }
        if let start {
            if start != 0 { device.sendUrgently(start) }
            device.setReceiving(true)
        }
        if wasBlocked { device.inputMayContinue() }
    }
}
