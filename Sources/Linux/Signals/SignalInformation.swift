// What comes with a signal: the part of `siginfo_t` that means something, in its layout, so that
// writing it to a user program is a copy (asm-generic/siginfo.h).

/// The first 48 of the 128 bytes of a `siginfo_t`; the rest is zero.
public struct SignalInformation: BitwiseCopyable, Sendable {
    public var number: Int32
    public var error: Int32 = 0
    public var code: Int32
    private var padding: Int32 = 0
    /// Bytes 16 to 47: meaning depends on `code` and `number`.
    public var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    public init(number: Int32, code: Int32) {
        self.number = number
        self.code = code
    }

    public init(_ signal: Signal, code: Int32) {
        self.init(number: Int32(signal.number), code: code)
    }

    /// The signal; only made for numbers that were checked.
    public var signal: Signal { Signal(UInt8(truncatingIfNeeded: number)) }

    /// Sent by a process, not by the kernel (`SI_FROMUSER`).
    public var isFromUser: Bool { code <= 0 }
    /// `kill`, `tgkill` and `sigqueue`: who sent it.
    public var sender: Int32 { Int32(truncatingIfNeeded: words.0) }
    /// `sigqueue` and timers: the value that came along.
    public var value: UInt64 { words.1 }
}

/// `si_code` of signals that do not come from an exception.
public enum SignalCode {
    public static let user: Int32 = 0  // SI_USER
    public static let kernel: Int32 = 0x80  // SI_KERNEL
    public static let queue: Int32 = -1  // SI_QUEUE
    public static let timer: Int32 = -2  // SI_TIMER
    public static let messageQueue: Int32 = -3  // SI_MESGQ
    public static let threadKill: Int32 = -6  // SI_TKILL

    public static let childExited: Int32 = 1  // CLD_EXITED
    public static let childKilled: Int32 = 2  // CLD_KILLED
    public static let childDumped: Int32 = 3  // CLD_DUMPED
    public static let childStopped: Int32 = 5  // CLD_STOPPED
    public static let childContinued: Int32 = 6  // CLD_CONTINUED
}

extension SignalInformation {
    @inline(__always)
    static func pair(_ low: Int32, _ high: UInt32) -> UInt64 {
        UInt64(UInt32(bitPattern: low)) | UInt64(high) << 32
    }

    /// Sent by the kernel itself (a terminal's Ctrl-C, a hang-up).
    public static func kernel(_ signal: Signal) -> Self { Self(signal, code: SignalCode.kernel) }

    /// Sent by a process or thread through a system call.
    public static func sent(_ signal: Signal, code: Int32, by process: Int32, user: UInt32) -> Self {
        var information = Self(signal, code: code)
        information.words.0 = pair(process, user)
        return information
    }

    /// Raised by an instruction at fault; `address` is what it accessed or where it lies.
    public static func fault(_ signal: Signal, code: Int32, address: UInt) -> Self {
        var information = Self(signal, code: code)
        information.words.0 = UInt64(address)
        return information
    }

    /// A child ended, stopped or continued. Times in clock ticks.
    public static func child(
        _ signal: Signal, code: Int32, process: Int32, user: UInt32, status: Int32, userTicks: UInt64,
        systemTicks: UInt64
    ) -> Self {
        var information = Self(signal, code: code)
        information.words.0 = pair(process, user)
        information.words.1 = UInt64(UInt32(bitPattern: status))
        information.words.2 = userTicks
        information.words.3 = systemTicks
        return information
    }

    /// A POSIX timer expired.
    public static func timer(_ signal: Signal, timer: Int32, overrun: Int32, value: UInt64) -> Self {
        var information = Self(signal, code: SignalCode.timer)
        information.words.0 = pair(timer, UInt32(bitPattern: overrun))
        information.words.1 = value
        return information
    }
}
