// Random numbers for `/dev/random`, getrandom(2), AT_RANDOM and the kernel itself.
//
// A key that only the generator knows. A request takes a key of its own from it under the lock and expands that
// outside; the generator's key is replaced in the same step, so that who learns a later key cannot compute
// what was given out before ("fast key erasure"). Entropy is absorbed by XOR into the key and one block.

import Machine

public enum Randomness {
    private struct Generator: ~Copyable {
        var key = ChaCha20.Key(repeating: 0)
        /// Counts blocks, so that no two steps have the same input.
        var counter: UInt64 = 0

        /// Replaces the key; returns one for the caller.
        mutating func step() -> ChaCha20.Key {
            counter &+= 1
            let block = ChaCha20.block(key, counter: counter, nonce: 0)
            var given = ChaCha20.Key(repeating: 0)
            for index in 0..<8 {
                key[index] = block[index]
                given[index] = block[8 + index]
            }
            return given
        }
    }

    /// Interrupts off: any context but NMI adds and takes.
    private static let generator = SpinLock(Generator())

    /// Gathers the first entropy. Boot only, before anybody asks; some thousand instructions.
    ///
    /// RDSEED or RDRAND where the CPU has one, and the time stamp counter around loops of memory and arithmetic, whose
    /// exact length depends on caches, interrupts and (under emulation) on the host's whole load.
    public static func initialize() {
        for turn in 0..<64 {
            if let word = HardwareRandom.seed() ?? HardwareRandom.word() { add(word) }
            add(jitter(UInt64(turn)))
        }
    }

    private static func jitter(_ turn: UInt64) -> UInt64 {
        let start = HardwareRandom.timeStamp()
        var scratch = start ^ turn
        for _ in 0..<(32 &+ start & 31) { scratch = scratch &* 6_364_136_223_846_793_005 &+ start }
        return (HardwareRandom.timeStamp() &- start) << 48 ^ start ^ scratch << 17
    }

    /// Mixes in something that others do not know well: a time of an interrupt, bytes written to `/dev/random`. Any
    /// context but NMI.
    public static func add(_ word: UInt64) {
        generator.withLockInterruptsOff { generator, _ in
            generator.key[0] ^= UInt32(truncatingIfNeeded: word)
            generator.key[1] ^= UInt32(truncatingIfNeeded: word >> 32)
            _ = generator.step()
        }
    }

    /// Mixes in bytes, up to 32 in a step.
    public static func add(_ bytes: Span<UInt8>) {
        var start = 0
        while start < bytes.count {
            let end = min(start &+ 32, bytes.count)
            generator.withLockInterruptsOff { generator, _ in
                for index in start..<end {
                    let place = index &- start
                    generator.key[place >> 2] ^= UInt32(bytes[index]) << UInt32(place & 3 &* 8)
                }
                _ = generator.step()
            }
            start = end
        }
    }

    /// A random word. Any context but NMI.
    public static func word() -> UInt64 {
        let key = generator.withLockInterruptsOff { generator, _ in generator.step() }
        return UInt64(key[0]) | UInt64(key[1]) << 32
    }

    /// Fills `bytes`. Any context but NMI; 64 bytes a block.
    public static func fill(_ bytes: inout MutableSpan<UInt8>) {
        let key = generator.withLockInterruptsOff { generator, _ in generator.step() }
        var counter: UInt64 = 0
        var start = 0
        while start < bytes.count {
            let block = ChaCha20.block(key, counter: counter, nonce: 1)
            for place in 0..<min(64, bytes.count &- start) {
                let word = block[place >> 2] >> UInt32(place & 3 &* 8)
                bytes[start &+ place] = UInt8(truncatingIfNeeded: word)
            }
            counter &+= 1
            start &+= 64
        }
    }
}
