// A set of CPUs that several CPUs read and write without a lock.

import Machine
import Primitives
import Synchronization

/// A set of CPUs in four atomic words: each CPU's bit is exact, the set as a whole is a hint.
struct AtomicCPUMask: ~Copyable {
    private let word0: Atomic<UInt64>
    private let word1: Atomic<UInt64>
    private let word2: Atomic<UInt64>
    private let word3: Atomic<UInt64>

    init(_ mask: CPUMask) {
        word0 = Atomic(mask[word: 0])
        word1 = Atomic(mask[word: 1])
        word2 = Atomic(mask[word: 2])
        word3 = Atomic(mask[word: 3])
    }

    @inline(__always)
    private func withWord<R>(_ cpu: Int, _ body: (borrowing Atomic<UInt64>) -> R) -> R {
        switch cpu >> 6 {
        case 0: body(word0)
        case 1: body(word1)
        case 2: body(word2)
        default: body(word3)
        }
    }

    @inline(__always)
    func contains(_ cpu: Int) -> Bool {
        withWord(cpu) { $0.load(ordering: .sequentiallyConsistent) } & (1 << UInt64(cpu & 63)) != 0
    }

    /// CPUs 0 ... 63.
    @inline(__always)
    var firstWord: UInt64 { word0.load(ordering: .relaxed) }

    /// Puts the CPU in; true if it was not there.
    @inline(__always) @discardableResult
    func insert(_ cpu: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(cpu & 63)
        return withWord(cpu) { $0.bitwiseOr(bit, ordering: .sequentiallyConsistent).oldValue } & bit == 0
    }

    /// Takes the CPU out; true if it was there.
    @inline(__always) @discardableResult
    func remove(_ cpu: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(cpu & 63)
        return withWord(cpu) { $0.bitwiseAnd(~bit, ordering: .sequentiallyConsistent).oldValue } & bit != 0
    }

    func store(_ mask: CPUMask) {
        word0.store(mask[word: 0], ordering: .sequentiallyConsistent)
        word1.store(mask[word: 1], ordering: .sequentiallyConsistent)
        word2.store(mask[word: 2], ordering: .sequentiallyConsistent)
        word3.store(mask[word: 3], ordering: .sequentiallyConsistent)
    }

    @inline(__always)
    func load() -> CPUMask {
        var mask = CPUMask()
        mask[word: 0] = word0.load(ordering: .relaxed)
        mask[word: 1] = word1.load(ordering: .relaxed)
        mask[word: 2] = word2.load(ordering: .relaxed)
        mask[word: 3] = word3.load(ordering: .relaxed)
        return mask
    }
}
