// How long something took, counted in powers of two.

/// Bucket `n` counts delays of 2^n up to 2^(n+1) nanoseconds; bucket 0 also those of 0, the last one (9 minutes) all
/// longer ones. A few instructions a note; whoever owns it keeps others from writing it meanwhile.
public struct DelayHistogram: Sendable {
    public static let bucketCount = 40
    private var buckets = InlineArray<40, UInt64>(repeating: 0)
    public private(set) var maximum: UInt64 = 0

    public init() {}

    @inline(__always)
    public mutating func note(_ nanoseconds: UInt64) {
        let bucket = 63 &- (nanoseconds | 1).leadingZeroBitCount
        buckets[min(bucket, Self.bucketCount - 1)] &+= 1
        if nanoseconds > maximum { maximum = nanoseconds }
    }

    public subscript(bucket: Int) -> UInt64 { buckets[bucket] }

    public var count: UInt64 {
        var sum: UInt64 = 0
        for index in buckets.indices { sum &+= buckets[index] }
        return sum
    }
}
