// Which vectors of which CPU are given to lines.

import Machine
import Primitives

/// The device vectors of all CPUs: each CPU has its own, so there are some 190 lines per CPU. As long as there are numbers
/// that no CPU uses, a line gets one of those: then it can move to any CPU and keep it (IRQLine+Affinity.swift).
///
/// The lock is taken alone or under a line's; no line's is taken under it.
enum VectorAllocator {
    struct State: ~Copyable {
        /// For each CPU the vectors in use, a bit each.
        var used: [InlineArray<4, UInt64>] = []
        var counts: [Int] = []
    }

    /// Task context and boot; interrupts off.
    private static let state = SpinLock(State())

    /// The vectors of the 8259s: masked, they could still deliver spurious interrupts on lines 7 and 15, and without
    /// an I/O APIC they are lines 0 to 15 (see `InterruptControllers.legacyVector`).
    private static let legacy: Range<UInt8> = 32..<48

    /// Gives out a vector of the CPU of `cpus` that has the fewest in use.
    static func allocate(in cpus: CPUMask) throws(IRQError) -> InterruptTarget {
        let target = state.withLockInterruptsOff { state, _ in allocate(&state, cpus) }
        guard let target else { throw .noVector }
        return target
    }

    private static func allocate(_ state: inout State, _ cpus: CPUMask) -> InterruptTarget? {
        grow(&state)
        var best: InterruptTarget?
        let everywhere = union(state)
        cpus.forEach { cpu in
            // The redirection table's destination has 8 bits, of which 255 means all.
            guard cpu < state.counts.count, let apicID = CPUArea.apicID(of: cpu), apicID < 255,
                best == nil || state.counts[cpu] < state.counts[best!.cpu],
                let vector = firstFree(everywhere) ?? firstFree(state.used[cpu])
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
            && !legacy.contains(vector)
        {
            return vector
        }
        return nil
    }

    /// The vectors that some CPU uses.
    private static func union(_ state: borrowing State) -> InlineArray<4, UInt64> {
        var result = InlineArray<4, UInt64>(repeating: 0)
        for cpu in state.used.indices {
            for word in 0..<4 { result[word] |= state.used[cpu][word] }
        }
        return result
    }

    /// Takes the vector of `target`'s number on the CPU of `cpus` that has the fewest in use. `target` itself stays taken.
    /// Interrupts off; no allocation, since all CPUs have their entries by now.
    static func move(_ target: InterruptTarget, to cpus: CPUMask) throws(IRQError) -> InterruptTarget {
        let (word, bit) = (Int(target.vector >> 6), UInt64(1) << UInt64(target.vector & 63))
        let moved = state.withLockInterruptsOff { state, _ -> InterruptTarget? in
            var best: InterruptTarget?
            cpus.forEach { cpu in
                guard cpu < state.counts.count, let apicID = CPUArea.apicID(of: cpu), apicID < 255,
                    state.used[cpu][word] & bit == 0,
                    best == nil || state.counts[cpu] < state.counts[best!.cpu]
                else { return }
                best = InterruptTarget(cpu: cpu, apicID: apicID, vector: target.vector)
            }
            guard let best else { return nil }
            state.used[best.cpu][word] |= bit
            state.counts[best.cpu] += 1
            return best
        }
        guard let moved else { throw .noVector }
        return moved
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
