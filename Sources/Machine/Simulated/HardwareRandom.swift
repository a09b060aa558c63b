// The simulated machine has no random numbers of its own: one seed decides all.

public enum HardwareRandom {
    public static func seed() -> UInt64? { nil }
    public static func word() -> UInt64? { nil }
    public static func timeStamp() -> UInt64 { 0 }
}
