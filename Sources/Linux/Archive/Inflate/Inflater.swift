// Decompresses one DEFLATE stream (RFC 1951) from memory, in pieces, without knowing how long it will be.
//
// Output goes into a window: the last 32 KiB that copies may refer to, followed by room for a piece.
// When a piece is full it is handed to the consumer and the last 32 KiB move to the front. The
// window has slack at its end so that a symbol (at most 258 bytes, copied 8 at a time) needs no check of
// its own. Input is read 8 bytes at a time; its last bytes are read from a copy with zeros behind
// it, so that no read goes past the end, and who used a bit of those zeros finds the stream truncated.
//
// No state is shared; the task that unpacks uses it.

/// Decompresses one DEFLATE stream.
@safe struct Inflater: ~Copyable {
    static let history = 32768
    static let piece = 131072
    /// The longest copy plus what an 8-byte copy may write past it.
    static let slack = 258 + 16
    /// How far a step may read: two times 8 bytes.
    private static let margin = 32

    /// The bits read ahead, and where the next ones are.
    @safe struct BitBuffer {
        /// Lowest first.
        var bits: UInt64 = 0
        /// How many are valid. Only the low byte counts: entries are subtracted whole, so the rest is garbage.
        var count: UInt32 = 0
        /// Next byte to read.
        var next: UnsafePointer<UInt8>
        /// While `next` is below it, `margin` bytes can be read.
        var limit: UnsafePointer<UInt8>
    }

    /// The whole input; the maker keeps it alive.
    private let input: UnsafeRawBufferPointer
    /// Copy of the last bytes of the input and zeros, `4 * margin` bytes.
    private let tail: UnsafeMutablePointer<UInt8>
    private var isInTail = false
    /// Position in the input of the byte at `origin`.
    private var originPosition: Int
    private var origin: UnsafePointer<UInt8>
    /// `history + piece + slack` bytes of this decompressor alone.
    let window: UnsafeMutablePointer<UInt8>
    var source: BitBuffer
    /// Bytes in the window, history included.
    var filled = 0
    /// Bytes of the window that the consumer has had.
    private var delivered = 0
    var literals: DecodeTable
    var distances: DecodeTable
    var codeLengths: DecodeTable
    let meanings: SymbolMeanings

    init(_ input: UnsafeRawBufferPointer, from position: Int) {
        unsafe self.input = input
        unsafe window = .allocate(capacity: Self.history + Self.piece + Self.slack)
        unsafe tail = .allocate(capacity: 4 * Self.margin)
        unsafe tail.initialize(repeating: 0, count: 4 * Self.margin)
        originPosition = position
        // Empty, so that the first use finds out where to read.
        unsafe origin = UnsafePointer(tail)
        unsafe source = BitBuffer(next: origin, limit: origin)
        // Sizes by zlib's `enough 288 11 15`, `enough 32 8 15` and `enough 19 7 7`.
        literals = DecodeTable(indexBits: Self.literalBits, capacity: 2342)
        distances = DecodeTable(indexBits: Self.distanceBits, capacity: 402)
        codeLengths = DecodeTable(indexBits: 7, capacity: 128)
        meanings = SymbolMeanings()
    }

    deinit {
        unsafe window.deallocate()
        unsafe tail.deallocate()
    }

    /// Decompresses to the end of the stream; `consume` gets the output piece by piece, each with the position in
    /// the input that it came from. Returns the position after the stream.
    mutating func run(
        _ consume: (UnsafeRawBufferPointer, Int) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> Int {
        read(from: originPosition)
        var isLast = false
        while !isLast {
            try refill()
            isLast = take(1) == 1
            switch take(2) {
            case 0: try unsafe stored(consume)
            case 1:
                buildFixedTables()
                try unsafe symbols(consume)
            case 2:
                try readTables()
                try unsafe symbols(consume)
            default: throw .corrupt("unknown kind of compressed block", at: position)
            }
        }
        try unsafe deliver(consume)
        return position
    }

    // MARK: Input

    /// Position in the input of the first byte of which no bit has been used.
    var position: Int {
        unsafe originPosition &+ (source.next - origin) &- Int(source.count & 0xff) >> 3
    }

    /// Begins to read at a position, with nothing read ahead.
    private mutating func read(from position: Int) {
        let left = unsafe max(input.count &- position, 0)
        originPosition = position
        isInTail = left < 2 * Self.margin
        if let base = unsafe input.baseAddress, !isInTail {
            unsafe origin = (base + position).assumingMemoryBound(to: UInt8.self)
            unsafe source = BitBuffer(next: origin, limit: origin + (left &- Self.margin))
            return
        }
        for index in 0..<left { unsafe tail[index] = input[position &+ index] }
        unsafe origin = UnsafePointer(tail)
        // Once 8 zeros have been read, at least one bit of them was used.
        unsafe source = BitBuffer(next: origin, limit: origin + (left &+ 8))
    }

    /// Makes sure that a step can read as much as it may.
    mutating func ensureInput() throws(ArchiveError) {
        guard unsafe source.next >= source.limit else { return }
        try continueInTail()
    }

    private mutating func continueInTail() throws(ArchiveError) {
        guard !isInTail else { throw unsafe .corrupt("compressed data ends too early", at: input.count) }
        let (bits, count) = (source.bits, source.count)
        unsafe read(from: originPosition &+ (source.next - origin))
        source.bits = bits
        source.count = count
    }

    /// Throws if bits were used that the input does not have.
    func checkNotTruncated() throws(ArchiveError) {
        guard unsafe position > input.count else { return }
        throw unsafe .corrupt("compressed data ends too early", at: input.count)
    }

    /// Makes at least 56 bits valid.
    mutating func refill() throws(ArchiveError) {
        try ensureInput()
        // `margin` bytes can be read.
        unsafe Self.refill(&source.bits, &source.count, &source.next)
    }

    /// Makes at least 56 bits valid; 8 bytes can be read.
    @inline(__always)
    static func refill(_ bits: inout UInt64, _ count: inout UInt32, _ next: inout UnsafePointer<UInt8>) {
        let word = unsafe UnsafeRawPointer(next).loadUnaligned(as: UInt64.self)
        bits |= word &<< UInt64(count)
        unsafe next += Int(truncatingIfNeeded: (count & 63 ^ 63) >> 3)
        count |= 56
    }

    /// The next `count` bits, of those valid.
    mutating func take(_ count: UInt32) -> UInt64 {
        let value = source.bits & ((1 << UInt64(count)) &- 1)
        source.bits >>= UInt64(count)
        source.count &-= count
        return value
    }

    // MARK: Output

    /// Hands new output to the consumer and makes room.
    mutating func deliver(
        _ consume: (UnsafeRawBufferPointer, Int) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        // `delivered` and `filled` lie inside the window.
        try unsafe consume(
            UnsafeRawBufferPointer(start: window + delivered, count: filled &- delivered), position)
        if filled > Self.history {
            unsafe window.update(from: window + (filled &- Self.history), count: Self.history)
            filled = Self.history
        }
        delivered = filled
    }

    /// A block that is not compressed.
    private mutating func stored(
        _ consume: (UnsafeRawBufferPointer, Int) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        // The rest of the byte is padding; whole bytes read ahead go back.
        _ = take(source.count & 7)
        try refill()
        let length = take(16)
        guard length ^ take(16) == 0xffff else {
            throw .corrupt("stored block with a wrong length", at: position)
        }
        try checkNotTruncated()
        var from = position
        var left = Int(length)
        guard unsafe left <= input.count &- from, let base = unsafe input.baseAddress else {
            throw unsafe .corrupt("compressed data ends too early", at: input.count)
        }
        while left > 0 {
            if filled >= Self.history &+ Self.piece { try unsafe deliver(consume) }
            let count = min(left, Self.history &+ Self.piece &- filled)
            // `left` bytes of input follow the position, and the window has room for `count`.
            unsafe UnsafeMutableRawPointer(window + filled).copyMemory(from: base + from, byteCount: count)
            from &+= count
            filled &+= count
            left &-= count
        }
        read(from: from)
    }
}
