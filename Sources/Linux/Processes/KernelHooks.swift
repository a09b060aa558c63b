// What the Linux room asks of the kernel proper; each set once at boot.

/// How the machine is to end.
public enum ShutdownKind: UInt8, Sendable {
    case powerOff
    case restart
    case halt
}

public enum KernelHooks {
    /// Ends the machine; returns only if that is impossible. Task context, interrupts on.
    nonisolated(unsafe) public static var shutdown: (@convention(c) (UInt8) -> Void)? = nil
    /// Init has ended with this wait status (`status << 8`, or the number of the signal that killed it). The
    /// message about it has been logged. Task context; may return, for a system without init.
    nonisolated(unsafe) public static var initExited: (@convention(c) (Int32) -> Void)? = nil

    static func shutDown(_ kind: ShutdownKind) {
        // What programs wrote last comes before the kernel's last words.
        Terminals.drainForShutdown()
        unsafe shutdown?(kind.rawValue)
    }
}
