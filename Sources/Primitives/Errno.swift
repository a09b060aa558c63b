// Error numbers of the Linux ABI for x86-64 (asm-generic/errno-base.h, errno.h), as a typed error.

/// What a system call answers when it fails. Thrown as `throws(Errno)`; the entry path turns it
/// into the negative number that user programs see.
public struct Errno: Error, Equatable, Sendable {
    public let code: Int32
    @inline(__always) public init(_ code: Int32) { self.code = code }

    public static let notPermitted = Errno(1)  // EPERM
    public static let noSuchFile = Errno(2)  // ENOENT
    public static let noSuchProcess = Errno(3)  // ESRCH
    public static let interrupted = Errno(4)  // EINTR
    public static let inputOutput = Errno(5)  // EIO
    public static let noSuchDevice = Errno(6)  // ENXIO
    public static let argumentListTooLong = Errno(7)  // E2BIG
    public static let notExecutable = Errno(8)  // ENOEXEC
    public static let badFileDescriptor = Errno(9)  // EBADF
    public static let noChild = Errno(10)  // ECHILD
    public static let tryAgain = Errno(11)  // EAGAIN
    public static let noMemory = Errno(12)  // ENOMEM
    public static let accessDenied = Errno(13)  // EACCES
    public static let badAddress = Errno(14)  // EFAULT
    public static let notBlockDevice = Errno(15)  // ENOTBLK
    public static let busy = Errno(16)  // EBUSY
    public static let exists = Errno(17)  // EEXIST
    public static let crossDevice = Errno(18)  // EXDEV
    public static let noDevice = Errno(19)  // ENODEV
    public static let notDirectory = Errno(20)  // ENOTDIR
    public static let isDirectory = Errno(21)  // EISDIR
    public static let invalid = Errno(22)  // EINVAL
    public static let fileTableFull = Errno(23)  // ENFILE
    public static let tooManyOpenFiles = Errno(24)  // EMFILE
    public static let notTerminal = Errno(25)  // ENOTTY
    public static let textBusy = Errno(26)  // ETXTBSY
    public static let fileTooLarge = Errno(27)  // EFBIG
    public static let noSpace = Errno(28)  // ENOSPC
    public static let illegalSeek = Errno(29)  // ESPIPE
    public static let readOnly = Errno(30)  // EROFS
    public static let tooManyLinks = Errno(31)  // EMLINK
    public static let brokenPipe = Errno(32)  // EPIPE
    public static let domain = Errno(33)  // EDOM
    public static let range = Errno(34)  // ERANGE
    public static let deadlock = Errno(35)  // EDEADLK
    public static let nameTooLong = Errno(36)  // ENAMETOOLONG
    public static let noLocks = Errno(37)  // ENOLCK
    public static let notImplemented = Errno(38)  // ENOSYS
    public static let notEmpty = Errno(39)  // ENOTEMPTY
    public static let symbolicLinkLoop = Errno(40)  // ELOOP
    public static let noData = Errno(61)  // ENODATA
    public static let timerExpired = Errno(62)  // ETIME
    public static let overflow = Errno(75)  // EOVERFLOW
    public static let badLibrary = Errno(80)  // ELIBBAD
    public static let notSocket = Errno(88)  // ENOTSOCK
    public static let notSupported = Errno(95)  // EOPNOTSUPP
    public static let addressFamilyNotSupported = Errno(97)  // EAFNOSUPPORT
    public static let timedOut = Errno(110)  // ETIMEDOUT

    // Never seen by user programs: how a call that a signal interrupted wants to be restarted
    // (the rules of Linux's -ERESTART* family).
    /// Restart if the handler has SA_RESTART or there is no handler, else EINTR.
    public static let restartSystem = Errno(512)  // ERESTARTSYS
    /// Restart always.
    public static let restartNoInterrupt = Errno(513)  // ERESTARTNOINTR
    /// EINTR if a handler runs, else restart.
    public static let restartNoHandler = Errno(514)  // ERESTARTNOHAND
    /// EINTR if a handler runs, else go on through `restart_syscall`.
    public static let restartBlock = Errno(516)  // ERESTART_RESTARTBLOCK
}
