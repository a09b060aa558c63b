// A byte from the device: signals, flow control, translation, editing, storing, in that order.

extension LineDiscipline {
    /// Takes one byte. When the answer holds `.full` the byte was not taken and has to be offered again.
    mutating func receive(_ byte: UInt8, _ condition: Condition = .normal) -> Effects {
        // Up to three bytes go in for one (PARMRK); the last place is kept for the end of a line.
        let needed = termios.input.contains(.markParityErrors) ? 4 : 2
        if queue.room < needed, !isDiscarding { return .full }
        var effects: Effects = []
        switch condition {
        case .normal: receiveNormal(byte, &effects)
        case .breakReceived: receiveBreak(&effects)
        case .parityError, .framingError: receiveDamaged(byte, &effects)
        }
        if queue.room < Self.throttleRoom, !isDiscarding { effects.insert(.throttle) }
        return effects
    }

    /// Room below which the sender is asked to pause.
    static let throttleRoom = 128

    /// The queue is full of one line without end: input goes on, but what is typed is dropped up to its end.
    private var isDiscarding: Bool { isCanonical && !queue.hasLine }

    private mutating func receiveBreak(_ effects: inout Effects) {
        if termios.input.contains(.ignoreBreak) { return }
        if termios.input.contains(.breakInterrupts) { return signal(.interrupt, &effects) }
        if termios.input.contains(.markParityErrors) {
            store(0xff, &effects)
            store(0, &effects)
        }
        store(0, &effects)
    }

    private mutating func receiveDamaged(_ byte: UInt8, _ effects: inout Effects) {
        guard termios.input.contains(.checkParity) else { return receiveNormal(byte, &effects) }
        if termios.input.contains(.ignoreParityErrors) { return }
        if termios.input.contains(.markParityErrors) {
            store(0xff, &effects)
            store(0, &effects)
            store(byte, &effects)
        } else {
            store(0, &effects)
        }
    }

    private mutating func receiveNormal(_ received: UInt8, _ effects: inout Effects) {
        var byte = received
        if termios.input.contains(.strip) { byte &= 0x7f }
        if termios.input.contains(.lowercase), isExtended { byte = byte.lowercase }
        if termios.local.contains(.externalProcessing) { return store(byte, &effects) }
        restartOnAny(byte, &effects)
        if isLiteral {
            isLiteral = false
            return receiveOrdinary(byte, wasReturn: false, &effects)
        }
        if handleFlow(byte, &effects) || handleSignal(byte, &effects) { return }
        guard let translated = translate(byte) else { return }
        if isCanonical, handleEditing(translated, &effects) { return }
        receiveOrdinary(translated, wasReturn: byte == 13, &effects)
    }

    /// IXANY: any byte but the special ones lets stopped output go on.
    private mutating func restartOnAny(_ byte: UInt8, _ effects: inout Effects) {
        guard isStopped, termios.input.isSuperset(of: [.startStopOutput, .anyRestarts]),
            !matches(byte, .start), !matches(byte, .stop), !matches(byte, .interrupt),
            !matches(byte, .quit), !matches(byte, .suspend)
        else { return }
        isStopped = false
        effects.insert(.startOutput)
    }

    private mutating func handleFlow(_ byte: UInt8, _ effects: inout Effects) -> Bool {
        guard termios.input.contains(.startStopOutput) else { return false }
        if matches(byte, .start) {
            isStopped = false
            effects.insert(.startOutput)
            return true
        }
        if matches(byte, .stop) {
            isStopped = true
            effects.insert(.stopOutput)
            return true
        }
        return false
    }

    private mutating func handleSignal(_ byte: UInt8, _ effects: inout Effects) -> Bool {
        guard termios.local.contains(.signals) else { return false }
        let which: Effects
        if matches(byte, .interrupt) {
            which = .interrupt
        } else if matches(byte, .quit) {
            which = .quit
        } else if matches(byte, .suspend) {
            which = .suspend
        } else {
            return false
        }
        signal(which, &effects)
        if termios.input.contains(.startStopOutput), isStopped {
            isStopped = false
            effects.insert(.startOutput)
        }
        if isEchoing { echoVisible(byte) }
        return true
    }

    /// Asks for a signal; unless NOFLSH, both directions lose what is on its way.
    private mutating func signal(_ which: Effects, _ effects: inout Effects) {
        effects.insert(which)
        guard !termios.local.contains(.noFlush) else { return }
        flushInput()
        echo.removeAll()
        effects.insert(.flushOutput)
    }

    /// Carriage return and line feed; nil if the byte is dropped.
    private func translate(_ byte: UInt8) -> UInt8? {
        if byte == 13 {
            if termios.input.contains(.ignoreCarriageReturn) { return nil }
            return termios.input.contains(.carriageReturnToNewline) ? 10 : 13
        }
        return byte == 10 && termios.input.contains(.newlineToCarriageReturn) ? 13 : byte
    }

    /// A line feed shows as one only where it came from a carriage return; typed as such it is a control
    /// character like others (in canonical mode it never comes here).
    private mutating func receiveOrdinary(_ byte: UInt8, wasReturn: Bool, _ effects: inout Effects) {
        if isEchoing {
            endShowingErased()
            if byte == 10, wasReturn {
                put(10)
            } else {
                noteLineColumn()
                echoVisible(byte)
            }
        }
        if byte == 0xff, termios.input.contains(.markParityErrors) { store(0xff, &effects) }
        store(byte, &effects)
    }

    /// Puts a byte of the line where it belongs, or drops it when the line is too long.
    private mutating func store(_ byte: UInt8, _ effects: inout Effects) {
        guard queue.room > 1 else { return ringBell() }
        queue.append(byte)
        if !isCanonical { effects.insert(.readable) }
    }

    /// A byte was dropped; with IMAXBEL the user hears it.
    private mutating func ringBell() {
        if termios.input.contains(.bellWhenFull) { echo.append(7) }
    }

    /// The line is complete with `byte`, a line feed, a VEOL or the mark of VEOF.
    mutating func endLine(_ byte: UInt8, _ effects: inout Effects) {
        guard queue.room > 0 else { return }
        queue.endLine(byte)
        effects.insert(.readable)
    }
}
