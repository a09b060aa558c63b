// The line discipline of terminals (N_TTY): what is typed becomes lines and signals, what is written
// becomes what the device sends. termios(3) says what each flag means.
//
// Pure: bytes in, bytes and effects out. The terminal feeds it under its own lock and carries out the
// effects afterwards. Echo collects in `echo`, already processed for output, until the device takes it.

/// The state of one terminal's line discipline. Guarded by the terminal's lock.
struct LineDiscipline: ~Copyable {
    /// Changed only through `setTermios`.
    private(set) var termios = Termios()
    var queue = InputQueue()
    var echo = EchoQueue()
    /// The next byte is taken literally (VLNEXT was typed).
    var isLiteral = false
    /// Inside `\…/` of erased characters (ECHOPRT).
    var isShowingErased = false
    /// Column of the cursor, for tabs.
    var column: UInt32 = 0
    /// Column where the line being edited began.
    var lineColumn: UInt32 = 0
    /// The user stopped the output with VSTOP.
    var isStopped = false
    /// The input is nearly full and its sender was, or should be, told.
    var isThrottled = false

    /// What the terminal has to do after a byte.
    struct Effects: OptionSet, Sendable {
        let rawValue: UInt16
        /// SIGINT, SIGQUIT, SIGTSTP to the foreground process group.
        static let interrupt = Effects(rawValue: 1)
        static let quit = Effects(rawValue: 2)
        static let suspend = Effects(rawValue: 4)
        /// Drop what the device has not sent yet.
        static let flushOutput = Effects(rawValue: 8)
        static let stopOutput = Effects(rawValue: 16)
        static let startOutput = Effects(rawValue: 32)
        /// Something can be read now.
        static let readable = Effects(rawValue: 64)
        /// The byte was not taken: there is no room until somebody reads.
        static let full = Effects(rawValue: 128)
        /// Ask the sender to pause.
        static let throttle = Effects(rawValue: 256)

        static let signals: Effects = [.interrupt, .quit, .suspend]
    }

    /// How a byte came over the wire.
    enum Condition: UInt8, Sendable {
        case normal = 0
        case breakReceived, parityError, framingError
    }

    var isCanonical: Bool { termios.local.contains(.canonical) }
    var isEchoing: Bool { termios.local.contains(.echo) }
    var isExtended: Bool { termios.local.contains(.extended) }

    /// The byte is that control character, and it is switched on.
    func matches(_ byte: UInt8, _ place: Termios.ControlCharacter) -> Bool {
        byte != 0 && byte == termios[place]
    }

    /// Takes new settings. What was typed stays readable; a line being edited becomes complete when lines
    /// begin to matter.
    mutating func setTermios(_ new: Termios) -> Effects {
        let was = termios
        termios = new
        var effects: Effects = []
        let canonical = new.local.contains(.canonical)
        if canonical != was.local.contains(.canonical) {
            if canonical { queue.becomeCanonical() } else { queue.becomeRaw() }
            isLiteral = false
            isShowingErased = false
            if !queue.isEmpty { effects.insert(.readable) }
        }
        if was.input.contains(.startStopOutput), !new.input.contains(.startStopOutput), isStopped {
            isStopped = false
            effects.insert(.startOutput)
        }
        return effects
    }

    /// Drops what was typed and not read (TCIFLUSH).
    mutating func flushInput() {
        queue.removeAll()
        isLiteral = false
        isShowingErased = false
    }
}
