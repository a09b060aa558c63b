// The bases of FS and GS of user mode on the simulated machine: remembered, not used.

/// FS and GS base of a user thread while it does not run.
public struct SegmentBases {
    public var fs: UInt64 = 0
    public var gs: UInt64 = 0

    public init() {}
    public static var programsMaySet: Bool { false }
    public static func detect() {}
    public mutating func save() {}
    public func load(over old: SegmentBases) {}
}
