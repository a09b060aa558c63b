// What the tests of the memory room share: a machine with some RAM of its own, and seeded randomness.

import Machine
import Primitives

@testable import Memory

/// The same sequence for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

/// Runs `body` on CPU 0 of a machine with `bytes` of RAM of which nothing is used yet. The first 2 MiB are reserved.
func withMachine<R>(bytes: Int = 64 << 20, _ body: () throws -> R) rethrows -> R {
    let cpu = SimulatedCPU(index: 0, memory: SimulatedMemory(byteCount: bytes))
    cpu.bind()
    Frames.initialize(
        usable: [PhysicalRange(start: 0, end: UInt64(bytes))],
        reserved: [PhysicalRange(start: 0, end: 2 << 20)])
    return try body()
}
