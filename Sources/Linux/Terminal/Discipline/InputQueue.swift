// What was typed and not yet read: at most 4096 bytes, with a mark on each byte that ends a line.
//
// Positions count bytes for ever; a position's place in the storage is its low 12 bits.
// tail <= lineEnd <= head <= tail + capacity. Between `lineEnd` and `head` lies the line being edited.

struct InputQueue: ~Copyable {
    static let capacity = 4096

    private var bytes = [UInt8](repeating: 0, count: InputQueue.capacity)
    /// Bit per place: the byte there ends a line.
    private var delimiters = [UInt64](repeating: 0, count: InputQueue.capacity / 64)
    /// Where the next byte goes.
    private(set) var head: UInt = 0
    /// Where the next byte is read.
    private(set) var tail: UInt = 0
    /// End of the last complete line; the line being edited starts here.
    private(set) var lineEnd: UInt = 0

    var count: Int { Int(truncatingIfNeeded: head &- tail) }
    var room: Int { Self.capacity &- count }
    var isEmpty: Bool { head == tail }
    var hasLine: Bool { lineEnd != tail }
    var isEditing: Bool { head != lineEnd }

    private static func place(_ position: UInt) -> Int { Int(truncatingIfNeeded: position) & (capacity - 1) }

    func byte(at position: UInt) -> UInt8 { bytes[Self.place(position)] }

    func isDelimiter(at position: UInt) -> Bool {
        let place = Self.place(position)
        return delimiters[place >> 6] & 1 << UInt64(place & 63) != 0
    }

    private mutating func setDelimiter(at position: UInt, _ value: Bool) {
        let place = Self.place(position)
        let bit = UInt64(1) << UInt64(place & 63)
        if value { delimiters[place >> 6] |= bit } else { delimiters[place >> 6] &= ~bit }
    }

    /// Adds a byte to the line being edited; the caller has seen that there is room.
    mutating func append(_ byte: UInt8) {
        bytes[Self.place(head)] = byte
        setDelimiter(at: head, false)
        head &+= 1
    }

    /// Adds the byte that ends the line; the line can be read from now on.
    mutating func endLine(_ byte: UInt8) {
        append(byte)
        setDelimiter(at: head &- 1, true)
        lineEnd = head
    }

    /// Shortens the line being edited to end before `position`.
    mutating func truncate(to position: UInt) { head = position }

    /// Reads one byte; the caller has seen that there is one.
    mutating func takeFirst() -> UInt8 {
        let byte = bytes[Self.place(tail)]
        tail &+= 1
        if tail &- 1 == lineEnd { lineEnd = tail }
        return byte
    }

    mutating func removeAll() {
        tail = head
        lineEnd = head
    }

    /// Lines begin to matter: what is there already counts as a complete one.
    mutating func becomeCanonical() {
        for index in delimiters.indices { delimiters[index] = 0 }
        lineEnd = head
        if !isEmpty { setDelimiter(at: head &- 1, true) }
    }

    /// Lines no longer matter.
    mutating func becomeRaw() {
        for index in delimiters.indices { delimiters[index] = 0 }
        lineEnd = tail
    }
}
