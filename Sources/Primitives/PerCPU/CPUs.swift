// Which CPUs there are, and which of them run.

import Machine
import Synchronization

/// The machine's CPUs. Numbers are given in the order of the firmware's table, the boot CPU first.
public enum CPUs {
    /// How many CPUs the kernel keeps data for: 0 ..< `count`. Fixed once the firmware's table was read.
    public static var count: Int { CPUSetRoot.with { $0.possible.load(ordering: .acquiring) } }

    /// Boot only, before any per-CPU data is made.
    /// - Parameter present: how many the machine has; more than `count` where the kernel leaves some out.
    public static func setCount(_ count: Int, present: Int? = nil) {
        CPUSetRoot.with {
            $0.possible.store(count, ordering: .releasing)
            $0.present.store(max(present ?? count, count), ordering: .releasing)
        }
    }

    /// How many CPUs the machine has: those that one command to all of them reaches.
    public static var presentCount: Int { CPUSetRoot.with { $0.present.load(ordering: .acquiring) } }

    /// The CPUs that take part in scheduling, calls and interrupts. Any context; a snapshot.
    public static var online: CPUMask {
        CPUSetRoot.with { sets in
            var mask = CPUMask()
            mask[word: 0] = sets.word0.load(ordering: .acquiring)
            mask[word: 1] = sets.word1.load(ordering: .acquiring)
            mask[word: 2] = sets.word2.load(ordering: .acquiring)
            mask[word: 3] = sets.word3.load(ordering: .acquiring)
            return mask
        }
    }

    /// Those of `mask` that are online, but for this one. Any context; a snapshot.
    @inline(__always)
    public static func others(in mask: CPUMask) -> CPUMask {
        if count > 64 { return othersOfMany(in: mask) }
        var others = CPUMask()
        let bits = CPUSetRoot.with { $0.word0.load(ordering: .acquiring) }
        others[word: 0] = mask[word: 0] & bits & ~(1 &<< UInt64(CPU.index))
        return others
    }

    @inline(never)
    private static func othersOfMany(in mask: CPUMask) -> CPUMask {
        var others = mask.intersection(online)
        others.remove(CPU.index)
        return others
    }

    /// Whether a CPU takes part. Any context.
    @inline(__always)
    public static func isOnline(_ cpu: Int) -> Bool {
        let word = CPUSetRoot.with { sets in
            switch cpu >> 6 {
            case 0: sets.word0.load(ordering: .acquiring)
            case 1: sets.word1.load(ordering: .acquiring)
            case 2: sets.word2.load(ordering: .acquiring)
            case 3: sets.word3.load(ordering: .acquiring)
            default: 0 as UInt64
            }
        }
        return word >> UInt64(cpu & 63) & 1 != 0
    }

    public static var onlineCount: Int { online.count }

    /// Adds a CPU to, or takes it from, the set of those online; by that CPU itself or, before it runs, by
    /// the one that starts it.
    public static func set(_ cpu: Int, online: Bool) {
        let bit = UInt64(1) << UInt64(cpu & 63)
        CPUSetRoot.with { sets in
            switch cpu >> 6 {
            case 0: change(sets.word0, bit, online)
            case 1: change(sets.word1, bit, online)
            case 2: change(sets.word2, bit, online)
            default: change(sets.word3, bit, online)
            }
        }
    }

    private static func change(_ word: borrowing Atomic<UInt64>, _ bit: UInt64, _ set: Bool) {
        if set {
            word.bitwiseOr(bit, ordering: .acquiringAndReleasing)
        } else {
            word.bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
        }
    }
}
