// Terminal settings (termios(3)) as user programs hand them in and out, and the bits in them.
// Layouts: asm-generic/termbits.h of the Linux ABI.

/// The settings of a terminal. Starts as Linux's `tty_std_termios`: what a fresh console has.
struct Termios: Equatable, Sendable {
    /// Number of control characters the kernel keeps (NCCS).
    static let controlCharacterCount = 19

    var input: Input = [.carriageReturnToNewline, .startStopOutput]
    var output: Output = [.process, .newlineToCarriageReturnNewline]
    /// B38400, eight bits, receiver on, hang up on close.
    var control: UInt32 = 0o17 | Control.eightBits | Control.receiver | Control.hangupOnClose
    var local: Local = [
        .signals, .canonical, .echo, .echoErase, .echoKill, .echoControl, .echoKillErase, .extended,
    ]
    var line: UInt8 = 0
    private var characters = Termios.standardCharacters
    /// Speeds in baud (termios2), kept in step with the codes in `control`.
    var inputSpeed: UInt32 = 38400
    var outputSpeed: UInt32 = 38400

    /// ^C ^\ ^? ^U ^D, time 0, minimum 1, no swtc, ^Q ^S ^Z, no EOL, ^R ^O ^W ^V, no EOL2.
    private static let standardCharacters: InlineArray<19, UInt8> = [
        3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0,
    ]

    /// The control character in a place; 0 is "none" (`_POSIX_VDISABLE`).
    subscript(place: ControlCharacter) -> UInt8 {
        get { characters[Int(place.rawValue)] }
        set { characters[Int(place.rawValue)] = newValue }
    }

    /// Places of the control characters (`c_cc`).
    enum ControlCharacter: UInt8, CaseIterable, Sendable {
        case interrupt = 0
        case quit, erase, kill, endOfFile, time, minimum, swtc, start, stop, suspend
        case endOfLine, reprint, discard, wordErase, literalNext, endOfLine2, unused17, unused18
    }

    static func == (a: Self, b: Self) -> Bool {
        for place in ControlCharacter.allCases where a[place] != b[place] { return false }
        return a.input == b.input && a.output == b.output && a.control == b.control && a.local == b.local
            && a.line == b.line && a.inputSpeed == b.inputSpeed && a.outputSpeed == b.outputSpeed
    }

    struct Input: OptionSet, Sendable {
        let rawValue: UInt32
        static let ignoreBreak = Input(rawValue: 0o1)  // IGNBRK
        static let breakInterrupts = Input(rawValue: 0o2)  // BRKINT
        static let ignoreParityErrors = Input(rawValue: 0o4)  // IGNPAR
        static let markParityErrors = Input(rawValue: 0o10)  // PARMRK
        static let checkParity = Input(rawValue: 0o20)  // INPCK
        static let strip = Input(rawValue: 0o40)  // ISTRIP
        static let newlineToCarriageReturn = Input(rawValue: 0o100)  // INLCR
        static let ignoreCarriageReturn = Input(rawValue: 0o200)  // IGNCR
        static let carriageReturnToNewline = Input(rawValue: 0o400)  // ICRNL
        static let lowercase = Input(rawValue: 0o1000)  // IUCLC
        static let startStopOutput = Input(rawValue: 0o2000)  // IXON
        static let anyRestarts = Input(rawValue: 0o4000)  // IXANY
        static let startStopInput = Input(rawValue: 0o10000)  // IXOFF
        static let bellWhenFull = Input(rawValue: 0o20000)  // IMAXBEL
        static let utf8 = Input(rawValue: 0o40000)  // IUTF8
    }

    struct Output: OptionSet, Sendable {
        let rawValue: UInt32
        static let process = Output(rawValue: 0o1)  // OPOST
        static let uppercase = Output(rawValue: 0o2)  // OLCUC
        static let newlineToCarriageReturnNewline = Output(rawValue: 0o4)  // ONLCR
        static let carriageReturnToNewline = Output(rawValue: 0o10)  // OCRNL
        static let noCarriageReturnAtColumn0 = Output(rawValue: 0o20)  // ONOCR
        static let newlineReturns = Output(rawValue: 0o40)  // ONLRET
        /// TABDLY; all of its bits set (XTABS): tabs are sent as spaces.
        static let tabsToSpaces = Output(rawValue: 0o14000)
    }

    enum Control {
        static let speedMask: UInt32 = 0o10017  // CBAUD
        static let speedExtra: UInt32 = 0o10000  // CBAUDEX; alone (BOTHER): the speed is in the fields
        static let sizeMask: UInt32 = 0o60  // CSIZE
        static let eightBits: UInt32 = 0o60  // CS8
        static let twoStopBits: UInt32 = 0o100  // CSTOPB
        static let receiver: UInt32 = 0o200  // CREAD
        static let parity: UInt32 = 0o400  // PARENB
        static let oddParity: UInt32 = 0o1000  // PARODD
        static let hangupOnClose: UInt32 = 0o2000  // HUPCL
        static let local: UInt32 = 0o4000  // CLOCAL
        static let inputSpeedShift: UInt32 = 16  // IBSHIFT
        static let stickParity: UInt32 = 0o10_000_000_000  // CMSPAR
        static let hardwareFlow: UInt32 = 0o20_000_000_000  // CRTSCTS
    }

    struct Local: OptionSet, Sendable {
        let rawValue: UInt32
        static let signals = Local(rawValue: 0o1)  // ISIG
        static let canonical = Local(rawValue: 0o2)  // ICANON
        static let echo = Local(rawValue: 0o10)  // ECHO
        static let echoErase = Local(rawValue: 0o20)  // ECHOE
        static let echoKill = Local(rawValue: 0o40)  // ECHOK
        static let echoNewline = Local(rawValue: 0o100)  // ECHONL
        static let noFlush = Local(rawValue: 0o200)  // NOFLSH
        static let stopBackgroundOutput = Local(rawValue: 0o400)  // TOSTOP
        static let echoControl = Local(rawValue: 0o1000)  // ECHOCTL
        static let echoPrint = Local(rawValue: 0o2000)  // ECHOPRT
        static let echoKillErase = Local(rawValue: 0o4000)  // ECHOKE
        static let extended = Local(rawValue: 0o100000)  // IEXTEN
        static let externalProcessing = Local(rawValue: 0o200000)  // EXTPROC
    }
}
