// The check sum of gzip (RFC 1952, 8): CRC-32 with the polynomial 0xedb88320, first bit highest.
//
// A word of eight bytes costs five instructions and no table: modulo the polynomial,
//
//     x^(64 * 3006) = x^(64 * 2866) + x^(64 * 2215) + 1
//
// (the smallest such relation, found by search), so a word of the message may be taken away if it
// is added to the words 140, 791 and 3006 places further on. Words are taken away one after the other; what they add to
// words not yet seen waits in `pending`. At the end those 3006 words alone are divided the usual way, and the
// zeros that they were appended as are divided out again.
//
// Invariants: pending[next ..< next + 3006] is what the words before `next` add to those after; of
// the message, `partial` bytes in `rest` are not yet in it.

@safe struct CRC32: ~Copyable {
    private static let near = 3006 - 2866
    private static let middle = 3006 - 2215
    private static let far = 3006
    /// x^(-64 * 3006) modulo the polynomial.
    private static let unshift: UInt32 = 0x9e29_9a8b
    /// Words taken away before what is pending moves to the front.
    private static let batch = 8192

    /// `far + batch` words of this value alone.
    private let pending: UnsafeMutablePointer<UInt64>
    private var next = 0
    /// The bytes of an incomplete word, first lowest.
    private var rest: UInt64 = 0
    private var partial: UInt64 = 0

    init() {
        unsafe pending = .allocate(capacity: Self.far + Self.batch)
        unsafe pending.initialize(repeating: 0, count: Self.far + Self.batch)
        // The check sum begins with all ones before the first 32 bits.
        unsafe pending[0] = 0xffff_ffff
    }

    deinit { unsafe pending.deallocate() }

    /// Adds bytes to the message.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard var at = bytes.baseAddress else { return }
        var left = bytes.count
        while left > 0, partial > 0 || left < 8 {
            // At least one byte is left.
            unsafe addByte(at.load(as: UInt8.self))
            unsafe at += 1
            left &-= 1
        }
        while left >= 8 {
            if next == Self.batch { moveToFront() }
            let words = min(left >> 3, Self.batch &- next)
            unsafe takeAway(at, words)
            unsafe at += words << 3
            left &-= words << 3
        }
        for index in 0..<left { unsafe addByte(at.load(fromByteOffset: index, as: UInt8.self)) }
    }

    private mutating func addByte(_ byte: UInt8) {
        rest |= UInt64(byte) << (partial << 3)
        partial &+= 1
        guard partial == 8 else { return }
        if next == Self.batch { moveToFront() }
        unsafe withUnsafeBytes(of: rest) { unsafe takeAway($0.baseAddress.unsafelyUnwrapped, 1) }
        rest = 0
        partial = 0
    }

    /// Takes away `words` words at `at`; `next + words` is at most `batch`.
    @inline(__always)
    private mutating func takeAway(_ at: UnsafeRawPointer, _ words: Int) {
        // Indexes stay below `batch + far`.
        var pending = unsafe pending + next
        for index in 0..<words {
            let word = unsafe (at + index &<< 3).loadUnaligned(as: UInt64.self) ^ pending[0]
            unsafe pending[Self.near] ^= word
            unsafe pending[Self.middle] ^= word
            // The first to reach this place.
            unsafe pending[Self.far] = word
            unsafe pending += 1
        }
        next &+= words
    }

    private mutating func moveToFront() {
        unsafe pending.update(from: pending + Self.batch, count: Self.far)
        next = 0
    }

    /// The check sum of what was added so far.
    var value: UInt32 {
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
        defer { unsafe table.deallocate() }
        for byte in 0..<256 {
            var value = UInt32(truncatingIfNeeded: byte)
            for _ in 0..<8 { value = Self.timesX(value) }
            unsafe table[byte] = value
        }
        var state: UInt32 = 0
        @inline(__always) func divide(_ word: UInt64, bytes: UInt64) {
            for shift in stride(from: UInt64(0), to: bytes << 3, by: 8) {
                let index = Int(truncatingIfNeeded: (UInt64(state) ^ word >> shift) & 0xff)
                // Inside the table: one byte.
                state = unsafe state >> 8 ^ table[index]
            }
        }
        // `far` words from `next` on are inside `pending`.
        for index in 0..<Self.far { unsafe divide(pending[next &+ index], bytes: 8) }
        state = Self.multiply(state, Self.unshift)
        divide(rest, bytes: partial)
        return ~state
    }

    @inline(__always)
    private static func timesX(_ value: UInt32) -> UInt32 { value >> 1 ^ (value & 1 == 0 ? 0 : 0xedb8_8320) }

    /// The product of two polynomials, first bit highest, modulo the check sum's.
    private static func multiply(_ a: UInt32, _ b: UInt32) -> UInt32 {
        var product: UInt32 = 0
        var power = b
        for bit in 0..<32 {
            if a & (1 << (31 - UInt32(bit))) != 0 { product ^= power }
            power = timesX(power)
        }
        return product
    }
}
