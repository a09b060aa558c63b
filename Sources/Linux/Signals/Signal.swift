// Signal numbers of Linux on x86-64 and what each does by default (signal(7)).

/// A signal number, 1 ... 64. Numbers from `firstRealTime` up are queued, one record each.
public struct Signal: Equatable, Sendable {
    public let number: UInt8

    @inline(__always)
    public init(_ number: UInt8) { self.number = number }

    /// nil unless `number` is a signal's.
    @inline(__always)
    public init?(checking number: Int) {
        guard number >= 1, number <= 64 else { return nil }
        self.number = UInt8(truncatingIfNeeded: number)
    }

    public static let hangUp = Signal(1)  // SIGHUP
    public static let interrupt = Signal(2)  // SIGINT
    public static let quit = Signal(3)  // SIGQUIT
    public static let illegal = Signal(4)  // SIGILL
    public static let trap = Signal(5)  // SIGTRAP
    public static let abort = Signal(6)  // SIGABRT
    public static let bus = Signal(7)  // SIGBUS
    public static let floatingPoint = Signal(8)  // SIGFPE
    public static let kill = Signal(9)  // SIGKILL
    public static let user1 = Signal(10)  // SIGUSR1
    public static let segmentation = Signal(11)  // SIGSEGV
    public static let user2 = Signal(12)  // SIGUSR2
    public static let pipe = Signal(13)  // SIGPIPE
    public static let alarm = Signal(14)  // SIGALRM
    public static let terminate = Signal(15)  // SIGTERM
    public static let stackFault = Signal(16)  // SIGSTKFLT
    public static let child = Signal(17)  // SIGCHLD
    public static let `continue` = Signal(18)  // SIGCONT
    public static let stop = Signal(19)  // SIGSTOP
    public static let terminalStop = Signal(20)  // SIGTSTP
    public static let terminalInput = Signal(21)  // SIGTTIN
    public static let terminalOutput = Signal(22)  // SIGTTOU
    public static let urgent = Signal(23)  // SIGURG
    public static let cpuLimit = Signal(24)  // SIGXCPU
    public static let fileSizeLimit = Signal(25)  // SIGXFSZ
    public static let virtualAlarm = Signal(26)  // SIGVTALRM
    public static let profiling = Signal(27)  // SIGPROF
    public static let windowChanged = Signal(28)  // SIGWINCH
    public static let inputOutput = Signal(29)  // SIGIO
    public static let power = Signal(30)  // SIGPWR
    public static let badSystemCall = Signal(31)  // SIGSYS
    public static let firstRealTime: UInt8 = 32

    @inline(__always)
    public var isRealTime: Bool { number >= Self.firstRealTime }

    /// What happens without a handler.
    public enum DefaultAction: Sendable { case ignore, terminate, core, stop, `continue` }

    public var defaultAction: DefaultAction {
        let one = SignalSet(self)
        if !one.isDisjoint(with: .ignoredByDefault) { return .ignore }
        if !one.isDisjoint(with: .dumpingCore) { return .core }
        if !one.isDisjoint(with: .stopping) { return .stop }
        return self == .continue ? .continue : .terminate
    }

    /// Can be neither caught, blocked nor ignored.
    @inline(__always)
    public var isUnblockable: Bool { self == .kill || self == .stop }
}
