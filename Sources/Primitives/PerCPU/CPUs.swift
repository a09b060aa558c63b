// Which CPUs there are, and which of them run.

import Machine
import Synchronization

/// The machine's CPUs. Numbers are given in the order of the firmware's table, the boot CPU first.
public enum CPUs {
    private static let possible = Atomic<Int>(1)
    private static let word0 = Atomic<UInt64>(1)
    private static let word1 = Atomic<UInt64>(0)
    private static let word2 = Atomic<UInt64>(0)
    private static let word3 = Atomic<UInt64>(0)

    /// How many CPUs the kernel keeps data for: 0 ..< `count`. Fixed once the firmware's table was read.
    public static var count: Int { possible.load(ordering: .acquiring) }

    /// Boot only, before any per-CPU data is made.
    public static func setCount(_ count: Int) { possible.store(count, ordering: .releasing) }

    /// The CPUs that take part in scheduling, calls and interrupts. Any context; a snapshot.
    public static var online: CPUMask {
        var mask = CPUMask()
        mask[word: 0] = word0.load(ordering: .acquiring)
        mask[word: 1] = word1.load(ordering: .acquiring)
        mask[word: 2] = word2.load(ordering: .acquiring)
        mask[word: 3] = word3.load(ordering: .acquiring)
        return mask
    }

    /// Whether a CPU takes part. Any context.
    @inline(__always)
    public static func isOnline(_ cpu: Int) -> Bool {
        let word =
            switch cpu >> 6 {
            case 0: word0.load(ordering: .acquiring)
            case 1: word1.load(ordering: .acquiring)
            case 2: word2.load(ordering: .acquiring)
            case 3: word3.load(ordering: .acquiring)
            default: 0 as UInt64
            }
        return word >> UInt64(cpu & 63) & 1 != 0
    }

    public static var onlineCount: Int { online.count }

    /// Adds a CPU to, or takes it from, the set of those online; by that CPU itself or, before it runs, by
    /// the one that starts it.
    public static func set(_ cpu: Int, online: Bool) {
        let bit = UInt64(1) << UInt64(cpu & 63)
        switch cpu >> 6 {
        case 0: change(word0, bit, online)
        case 1: change(word1, bit, online)
        case 2: change(word2, bit, online)
        default: change(word3, bit, online)
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
