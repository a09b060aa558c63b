// The sets of this machine's CPUs.

public enum CPUSetRoot {
    private static let sets = CPUSets()

    @inline(__always)
    public static func with<R>(_ body: (borrowing CPUSets) -> R) -> R { body(sets) }
}
