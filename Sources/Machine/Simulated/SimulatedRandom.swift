// The dice of a simulated machine: everything it decides by chance follows from its seed.

/// SplitMix64 (Steele, Lea, Flood 2014): good enough to spread decisions, and the same on every host.
public struct SimulatedRandom: Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    public mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    /// True once in `odds` times.
    public mutating func oneIn(_ odds: UInt64) -> Bool { below(odds) == 0 }
}
