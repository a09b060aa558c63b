// How long something took, counted in powers of two.

/// Bucket `n` counts delays of 2^n up to 2^(n+1) cycles of the time-stamp counter; bucket 0 also those of 0. A few
/// instructions a note; whoever owns it keeps others from writing it meanwhile.
public struct DelayHistogram: Sendable {
    public static let bucketCount = 64
    private var buckets = InlineArray<64, UInt64>(repeating: 0)
    /// The longest, in cycles.
    public private(set) var maximum: UInt64 = 0

    public init() {}

    @inline(__always)
    public mutating func note(_ cycles: UInt64) {
        let bucket = 63 &- (cycles | 1).leadingZeroBitCount
        buckets[bucket & 63] &+= 1
        if cycles > maximum { maximum = cycles }
    }

    public subscript(bucket: Int) -> UInt64 { buckets[bucket] }

    public var count: UInt64 {
        var sum: UInt64 = 0
        for index in buckets.indices { sum &+= buckets[index] }
        return sum
    }
}
