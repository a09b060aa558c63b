// A set of CPUs.

import Machine

/// A set of CPU numbers 0 ..< `maximumCPUs`, by value: 32 bytes.
public struct CPUMask: Equatable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    public init() { words = (0, 0, 0, 0) }

    public init(_ cpu: Int) {
        self.init()
        insert(cpu)
    }

    /// The CPUs 0 ..< `count`.
    public init(first count: Int) {
        self.init()
        for word in 0..<4 {
            let bits = min(max(count - word * 64, 0), 64)
            self[word: word] = bits == 64 ? .max : (1 << UInt64(bits)) - 1
        }
    }

    public static let all = CPUMask(first: maximumCPUs)

    /// 64 CPUs of the set: word 0 has CPUs 0 to 63.
    @inline(__always)
    public subscript(word index: Int) -> UInt64 {
        get {
            switch index {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        }
        set {
            switch index {
            case 0: words.0 = newValue
            case 1: words.1 = newValue
            case 2: words.2 = newValue
            default: words.3 = newValue
            }
        }
    }

    @inline(__always)
    public func contains(_ cpu: Int) -> Bool { self[word: cpu >> 6] & (1 << UInt64(cpu & 63)) != 0 }
    @inline(__always)
    public mutating func insert(_ cpu: Int) { self[word: cpu >> 6] |= 1 << UInt64(cpu & 63) }
    @inline(__always)
    public mutating func remove(_ cpu: Int) { self[word: cpu >> 6] &= ~(1 << UInt64(cpu & 63)) }

    public var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }
    public var count: Int {
        words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount + words.3.nonzeroBitCount
    }

    public func intersection(_ other: CPUMask) -> CPUMask {
        var result = CPUMask()
        for word in 0..<4 { result[word: word] = self[word: word] & other[word: word] }
        return result
    }

    public func union(_ other: CPUMask) -> CPUMask {
        var result = CPUMask()
        for word in 0..<4 { result[word: word] = self[word: word] | other[word: word] }
        return result
    }

    public func subtracting(_ other: CPUMask) -> CPUMask {
        var result = CPUMask()
        for word in 0..<4 { result[word: word] = self[word: word] & ~other[word: word] }
        return result
    }

    /// The lowest CPU of the set that is at least `cpu`.
    public func next(from cpu: Int) -> Int? {
        var word = cpu >> 6
        guard word < 4 else { return nil }
        var bits = self[word: word] & (UInt64.max << UInt64(cpu & 63))
        while bits == 0 {
            word += 1
            guard word < 4 else { return nil }
            bits = self[word: word]
        }
        return word * 64 + bits.trailingZeroBitCount
    }

    /// Calls `body` for each CPU of the set, lowest first.
    @inline(__always)
    public func forEach<E>(_ body: (Int) throws(E) -> Void) throws(E) {
        try Self.forEach(words.0, from: 0, body)
        // Most machines end here.
        if words.1 | words.2 | words.3 == 0 { return }
        try Self.forEach(words.1, from: 64, body)
        try Self.forEach(words.2, from: 128, body)
        try Self.forEach(words.3, from: 192, body)
    }

    @inline(__always)
    private static func forEach<E>(
        _ word: UInt64, from first: Int, _ body: (Int) throws(E) -> Void
    ) throws(E) {
        var bits = word
        while bits != 0 {
            try body(first &+ bits.trailingZeroBitCount)
            bits &= bits &- 1
        }
    }

    public static func == (a: CPUMask, b: CPUMask) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
    }
}
