// The inner loop: literals and copies of a block. Everything it uses is in local variables, and
// a byte of output takes a few instructions.

extension Inflater {
    static let literalBits = 11
    static let distanceBits = 8

    /// Decodes the symbols of a block up to its end.
    mutating func symbols(
        _ consume: (UnsafeRawBufferPointer, Int) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        while true {
            if filled >= Self.history &+ Self.piece { try unsafe deliver(consume) }
            try ensureInput()
            let outcome = decode()
            try checkNotTruncated()
            switch outcome {
            case .paused: continue
            case .endOfBlock: return
            case .invalidCode: throw .corrupt("invalid code in compressed data", at: position)
            case .invalidDistance: throw .corrupt("copy from before the start of the data", at: position)
            }
        }
    }

    private enum Outcome { case paused, endOfBlock, invalidCode, invalidDistance }

    /// Decodes until the window is full, the input needs attention or the block ends.
    @inline(never)
    private mutating func decode() -> Outcome {
        var bits = source.bits
        var count = source.count
        var next = unsafe source.next
        let inputLimit = unsafe source.limit
        let start = unsafe window
        let limit = unsafe window + (Self.history + Self.piece)
        var out = unsafe window + filled
        let literals = unsafe self.literals.entries
        let distances = unsafe self.distances.entries
        defer {
            source.bits = bits
            source.count = count
            unsafe source.next = next
            filled = unsafe out - start
        }

        // Indexes into the tables are masked to what the tables hold.
        @inline(__always) func nextLiteral() -> UInt32 {
            unsafe literals[Int(truncatingIfNeeded: bits & ((1 << UInt64(Self.literalBits)) - 1))]
        }
        @inline(__always) func consume(_ entry: UInt32) {
            bits &>>= UInt64(entry)
            count &-= entry
        }
        @inline(__always) func put(_ entry: UInt32) {
            unsafe out[0] = UInt8(truncatingIfNeeded: entry >> 16)
            unsafe out += 1
        }
        /// The entry in a second table.
        @inline(__always) func follow(_ link: UInt32, _ table: UnsafeMutablePointer<UInt32>) -> UInt32 {
            consume(link)
            let index = bits & ((1 &<< UInt64(link >> 8 & 0xf)) &- 1)
            return unsafe table[Int(truncatingIfNeeded: UInt64(link >> 16) &+ index)]
        }

        // A step writes at most 3 + 258 + 7 bytes from `out`, which begins below `limit`: the slack of
        // the window takes them. It reads at most twice 8 bytes of input.
        while unsafe out < limit && next < inputLimit {
            unsafe Self.refill(&bits, &count, &next)
            var entry = nextLiteral()
            if entry & DecodeTable.literal != 0 {
                consume(entry)
                put(entry)
                entry = nextLiteral()
                if entry & DecodeTable.literal != 0 {
                    consume(entry)
                    put(entry)
                    entry = nextLiteral()
                    if entry & DecodeTable.literal != 0 {
                        consume(entry)
                        put(entry)
                        continue
                    }
                }
            }
            // At least 34 bits are valid: enough for a length of 20.
            if entry & DecodeTable.exceptional != 0 {
                if entry & (DecodeTable.link | DecodeTable.endOfBlock) == DecodeTable.link {
                    entry = unsafe follow(entry, literals)
                    if entry & DecodeTable.literal != 0 {
                        consume(entry)
                        put(entry)
                        continue
                    }
                }
                if entry & DecodeTable.exceptional != 0 {
                    consume(entry)
                    return entry & DecodeTable.endOfBlock != 0 ? .endOfBlock : .invalidCode
                }
            }
            var length = Int(truncatingIfNeeded: entry >> 16)
            if entry & DecodeTable.extraBits != 0 { length = Self.value(entry, bits) }
            consume(entry)
            if UInt8(truncatingIfNeeded: count) < 28 { unsafe Self.refill(&bits, &count, &next) }
            entry = unsafe distances[Int(truncatingIfNeeded: bits & ((1 << UInt64(Self.distanceBits)) - 1))]
            if entry & DecodeTable.exceptional != 0 {
                if entry & DecodeTable.link != 0 { entry = unsafe follow(entry, distances) }
                if entry & DecodeTable.exceptional != 0 { return .invalidCode }
            }
            let distance = Self.value(entry, bits)
            consume(entry)
            guard unsafe distance <= out - start else { return .invalidDistance }
            unsafe Self.copy(to: out, distance, length)
            unsafe out += length
        }
        return .paused
    }

    /// The base of a length or distance plus its extra bits, which follow the code.
    @inline(__always)
    private static func value(_ entry: UInt32, _ bits: UInt64) -> Int {
        let extra = (bits & ~(~0 &<< UInt64(entry))) &>> UInt64(entry >> 8)
        return Int(truncatingIfNeeded: UInt64(entry >> 16) &+ extra)
    }

    /// Repeats `length` bytes from `distance` before `out`; may write 7 bytes more.
    @inline(__always)
    private static func copy(to out: UnsafeMutablePointer<UInt8>, _ distance: Int, _ length: Int) {
        let from = unsafe UnsafeRawPointer(out) + (0 &- distance)
        let to = UnsafeMutableRawPointer(out)
        guard distance >= 8 else { return unsafe copyNear(to, from, distance, length) }
        unsafe to.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
        var done = 8
        while done < length {
            unsafe to.storeBytes(
                of: (from + done).loadUnaligned(as: UInt64.self), toByteOffset: done, as: UInt64.self)
            done &+= 8
        }
    }

    /// From less than 8 bytes before: a pattern repeats.
    @inline(__always)
    private static func copyNear(
        _ to: UnsafeMutableRawPointer, _ from: UnsafeRawPointer, _ distance: Int, _ length: Int
    ) {
        if distance == 1 {
            let pattern = unsafe UInt64(from.load(as: UInt8.self)) &* 0x0101_0101_0101_0101
            var done = 0
            while done < length {
                unsafe to.storeBytes(of: pattern, toByteOffset: done, as: UInt64.self)
                done &+= 8
            }
            return
        }
        var done = 0
        while done < length {
            unsafe to.storeBytes(
                of: from.load(fromByteOffset: done, as: UInt8.self), toByteOffset: done, as: UInt8.self)
            done &+= 1
        }
    }
}
