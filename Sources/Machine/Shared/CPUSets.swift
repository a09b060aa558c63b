// Where the sets of CPUs are kept (`CPUs` in Primitives is their face).

import Synchronization

/// How many CPUs there are and which are online: one of these a machine.
public struct CPUSets: ~Copyable, Sendable {
    public let possible = Atomic<Int>(1)
    /// How many CPUs the machine has, those that the kernel leaves out too.
    public let present = Atomic<Int>(1)
    public let word0 = Atomic<UInt64>(1)
    public let word1 = Atomic<UInt64>(0)
    public let word2 = Atomic<UInt64>(0)
    public let word3 = Atomic<UInt64>(0)

    public init() {}
}
