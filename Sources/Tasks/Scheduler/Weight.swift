// What a nice value means: how fast a thread's virtual time runs.

/// The share of a CPU that a nice value gives: each step is worth a quarter more or less (setpriority(2),
/// sched(7)); nice 0 weighs 1024.
public struct Weight: Equatable, Sendable {
    /// 15 (nice 19) to 88818 (nice -20).
    public let value: UInt32
    /// 1024 / value with 22 bits behind the point.
    let inverse: UInt32

    public static let normal = Weight(value: 1024, inverse: 1 << 22)

    /// What threads of class `idle` get while others want the CPU.
    static let idle = Weight(value: 3, inverse: UInt32(truncatingIfNeeded: (UInt64(1024) << 22) / 3))

    private init(value: UInt32, inverse: UInt32) {
        self.value = value
        self.inverse = inverse
    }

    /// The weight of a nice value; values outside -20 ... 19 count as the nearest.
    public init(nice: Int) {
        let clamped = min(max(nice, -20), 19)
        // 5^20 x 2^10 fits in 64 bits with room to spare.
        var up: UInt64 = 1024
        var down: UInt64 = 1
        for _ in 0..<clamped.magnitude {
            up *= clamped < 0 ? 5 : 4
            down *= clamped < 0 ? 4 : 5
        }
        let rounded = (up + down / 2) / down
        value = UInt32(truncatingIfNeeded: rounded)
        inverse = UInt32(truncatingIfNeeded: (UInt64(1024) << 22) / rounded)
    }

    /// How much virtual time passes in `nanoseconds` of running.
    @inline(__always)
    func virtualTime(_ nanoseconds: UInt64) -> UInt64 {
        if value == 1024 { return nanoseconds }
        let product = nanoseconds.multipliedFullWidth(by: UInt64(inverse))
        return product.high &<< 42 | product.low &>> 22
    }
}
