// Where the rooms that keep state of the whole machine find it.

/// The one word from which the tasks room finds its state on this machine. Set once at boot.
public enum TaskRoot {
    nonisolated(unsafe) public static var pointer: UnsafeMutableRawPointer? = nil
}

/// The same for the time room.
public enum TimeRoot {
    nonisolated(unsafe) public static var pointer: UnsafeMutableRawPointer? = nil
}

/// The same for the room of deferred work.
public enum DeferredRoot {
    nonisolated(unsafe) public static var pointer: UnsafeMutableRawPointer? = nil
}

/// The same for the room of calls between CPUs.
public enum CrossCPURoot {
    nonisolated(unsafe) public static var pointer: UnsafeMutableRawPointer? = nil
}

/// How this machine makes other CPUs forget translations (`TLBHooks.shootdown`). Set once at boot.
public enum ShootdownRoot {
    public typealias Function = @convention(c) (_ request: UInt, UInt64, UInt64, UInt64, UInt64) -> Void
    // Not written after boot.
    @safe nonisolated(unsafe) public static var function: Function? = nil
}
