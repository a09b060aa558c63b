// The time that files are stamped with: nanoseconds since 1970, good until the year 2262.

public enum FileClock {
    /// The wall clock; set once at boot, when there is one. Any context.
    nonisolated(unsafe) public static var source: (@convention(c) () -> Int64)? = nil

    /// The wall clock now. Any context.
    public static var now: Int64 { unsafe source?() ?? 0 }
}
