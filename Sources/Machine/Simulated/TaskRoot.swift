// Where the rooms that keep state of a whole machine find it: in the simulated machine.

/// The one word from which the tasks room finds its state on this machine.
public enum TaskRoot {
    public static var pointer: UnsafeMutableRawPointer? {
        get { unsafe SimulatedCPU.current.machine.roots.tasks }
        set { unsafe SimulatedCPU.current.machine.roots.tasks = newValue }
    }
}

/// The same for the time room.
public enum TimeRoot {
    public static var pointer: UnsafeMutableRawPointer? {
        get { unsafe SimulatedCPU.current.machine.roots.time }
        set { unsafe SimulatedCPU.current.machine.roots.time = newValue }
    }
}

/// The same for the room of deferred work.
public enum DeferredRoot {
    public static var pointer: UnsafeMutableRawPointer? {
        get { unsafe SimulatedCPU.current.machine.roots.deferred }
        set { unsafe SimulatedCPU.current.machine.roots.deferred = newValue }
    }
}

/// The same for the room of calls between CPUs.
public enum CrossCPURoot {
    public static var pointer: UnsafeMutableRawPointer? {
        get { unsafe SimulatedCPU.current.machine.roots.crossCPU }
        set { unsafe SimulatedCPU.current.machine.roots.crossCPU = newValue }
    }
}

/// How this machine makes other CPUs forget translations (`TLBHooks.shootdown`): machines of tests differ in it.
public enum ShootdownRoot {
    public typealias Function = @convention(c) (_ request: UInt, UInt64, UInt64, UInt64, UInt64) -> Void
    public static var function: Function? {
        get { unsafe SimulatedCPU.current.machine.roots.shootdown }
        set { unsafe SimulatedCPU.current.machine.roots.shootdown = newValue }
    }
}
