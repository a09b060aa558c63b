// What a reader gets: in canonical mode at most one line, else what is there.

extension LineDiscipline {
    /// There is a line, or (raw) at least `minimum` bytes.
    func isReadable(minimum: Int = 1) -> Bool {
        isCanonical ? queue.hasLine : queue.count >= max(minimum, 1)
    }

    /// Whether poll(2) calls it readable: with VTIME 0, VMIN bytes have to be there.
    var isPollReadable: Bool {
        isReadable(minimum: termios[.time] == 0 ? Int(termios[.minimum]) : 1)
    }

    /// Bytes that FIONREAD reports: those of complete lines without marks of VEOF, or (raw) all.
    var readableCount: Int {
        guard isCanonical else { return queue.count }
        var count = 0
        var position = queue.tail
        while position != queue.lineEnd {
            if !isEndOfFile(at: position) { count &+= 1 }
            position &+= 1
        }
        return count
    }

    private func isEndOfFile(at position: UInt) -> Bool {
        queue.isDelimiter(at: position) && queue.byte(at: position) == Self.endOfFileMark
    }

    /// Takes up to `limit` bytes, in canonical mode of one line; hands each to `store`. Says how many, and
    /// whether the end of a line was met (after which a reader in canonical mode returns).
    mutating func take(limit: Int, _ store: (UInt8) -> Void) -> (count: Int, endsLine: Bool) {
        isCanonical ? takeLine(limit, store) : takeRaw(limit, store)
    }

    private mutating func takeRaw(_ limit: Int, _ store: (UInt8) -> Void) -> (count: Int, endsLine: Bool) {
        var count = 0
        while count < limit, !queue.isEmpty {
            store(queue.takeFirst())
            count &+= 1
        }
        return (count, false)
    }

    private mutating func takeLine(_ limit: Int, _ store: (UInt8) -> Void) -> (count: Int, endsLine: Bool) {
        var count = 0
        while queue.hasLine {
            let isEnd = queue.isDelimiter(at: queue.tail)
            if isEndOfFile(at: queue.tail) {
                _ = queue.takeFirst()
                return (count, true)
            }
            // A mark of VEOF right behind a full buffer is taken with it (above): else the next read
            // would report an end of file that nobody typed.
            if count == limit { return (count, false) }
            store(queue.takeFirst())
            count &+= 1
            if isEnd { return (count, true) }
        }
        return (count, false)
    }

    /// There is room again for a sender that was asked to pause.
    var canUnthrottle: Bool { isThrottled && queue.count <= Self.throttleRoom }
}
