// A simulated machine: what its CPUs share.

/// State that the rooms keep for a whole machine.
@unsafe struct RoomRoots {
    var tasks: UnsafeMutableRawPointer? = nil
    var time: UnsafeMutableRawPointer? = nil
    var deferred: UnsafeMutableRawPointer? = nil
}

@safe public final class SimulatedMachine: @unchecked Sendable {
    /// Virtual nanoseconds since power-on.
    public internal(set) var clock: UInt64 = 0
    var roots = unsafe RoomRoots()

    public init() {}
}
