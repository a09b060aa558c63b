// Which vectors of which CPU are given to lines.

import Machine
import Primitives

/// The device vectors of all CPUs: each CPU has its own, so there are some 190 lines per CPU.
enum VectorAllocator {
    struct State: ~Copyable {
        /// For each CPU the vectors in use, a bit each.
        var used: [InlineArray<4, UInt64>] = []
        var counts: [Int] = []
    }

    /// Task context and boot; interrupts off.
    private static let state = SpinLock(State())

    /// The two vectors at which the masked 8259s could still deliver a spurious interrupt (see
    /// `InterruptControllers.legacyVector`).
    private static let legacySpurious: [UInt8] = [39, 47]

    /// Gives out a vector of the CPU of `cpus` that has the fewest in use.
    static func allocate(in cpus: CPUMask) throws(IRQError) -> InterruptTarget {
        let target = state.withLockInterruptsOff { state, _ in allocate(&state, cpus) }
        guard let target else { throw .noVector }
        return target
    }

    private static func allocate(_ state: inout State, _ cpus: CPUMask) -> InterruptTarget? {
        grow(&state)
        var best: InterruptTarget?
        cpus.forEach { cpu in
            // The redirection table's destination has 8 bits, of which 255 means all.
            guard cpu < state.counts.count, let apicID = CPUArea.apicID(of: cpu), apicID < 255,
                best == nil || state.counts[cpu] < state.counts[best!.cpu],
                let vector = firstFree(state.used[cpu])
            else { return }
            best = InterruptTarget(cpu: cpu, apicID: apicID, vector: vector)
        }
        guard let best else { return nil }
        state.used[best.cpu][Int(best.vector >> 6)] |= 1 << UInt64(best.vector & 63)
        state.counts[best.cpu] += 1
        return best
    }

    private static func grow(_ state: inout State) {
        while state.counts.count < CPUs.count {
            state.counts.append(0)
            state.used.append(InlineArray(repeating: 0))
        }
    }

    private static func firstFree(_ used: InlineArray<4, UInt64>) -> UInt8? {
        for vector in Vector.devices
        where used[Int(vector >> 6)] >> UInt64(vector & 63) & 1 == 0 && Vector(vector).use == .device
            && !legacySpurious.contains(vector)
        {
            return vector
        }
        return nil
    }

    static func free(_ target: InterruptTarget) {
        state.withLockInterruptsOff { state, _ in
            state.used[target.cpu][Int(target.vector >> 6)] &= ~(1 << UInt64(target.vector & 63))
            state.counts[target.cpu] -= 1
        }
    }

    /// How many vectors of `cpu` are in use.
    static func count(of cpu: Int) -> Int {
        state.withLockInterruptsOff { state, _ in cpu < state.counts.count ? state.counts[cpu] : 0 }
    }
}
