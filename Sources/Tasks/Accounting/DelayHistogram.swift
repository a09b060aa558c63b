// How long something took, counted in powers of two.

import Machine

/// A copy of what a CPU has counted. Bucket `n` counts delays of 2^n up to 2^(n+1) cycles of the time-stamp counter; bucket
/// 0 also those of 0.
public struct DelayHistogram: Sendable {
    public static let bucketCount = 64
    private var buckets = InlineArray<64, UInt64>(repeating: 0)
    /// The longest, in cycles.
    public let maximum: UInt64

    init(kind: Int, cpu: Int) {
        for bucket in 0..<Self.bucketCount {
            buckets[bucket] = DelayCounts.bucket(bucket, kind: kind, cpu: cpu)
        }
        maximum = DelayCounts.bucket(Self.bucketCount, kind: kind, cpu: cpu)
    }

    public subscript(bucket: Int) -> UInt64 { buckets[bucket] }

    public var count: UInt64 {
        var sum: UInt64 = 0
        for index in buckets.indices { sum &+= buckets[index] }
        return sum
    }
}
