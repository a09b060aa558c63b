// `#!interpreter argument`: the first line of a script names the program that executes it.

import Primitives

struct ExecutionScript: Equatable {
    let interpreter: [UInt8]
    /// All the rest of the line, as one argument.
    let argument: [UInt8]?

    /// Scripts may name scripts, so deep and no deeper.
    static let maximumDepth = 5

    /// Reads the first bytes of a file (up to 256). Nil if they are not a script's; throws
    /// `.notExecutable` if the line names no interpreter, or does not end and so may be cut.
    init?(_ bytes: Span<UInt8>) throws(Errno) {
        guard bytes.count >= 2, bytes[0] == 0x23, bytes[1] == 0x21 else { return nil }
        var end = 2
        while end < bytes.count, bytes[end] != 10 { end += 1 }
        let isCut = end == bytes.count && end == Self.lineLimit
        while end > 2, Self.isBlank(bytes[end - 1]) { end -= 1 }
        var start = 2
        while start < end, Self.isBlank(bytes[start]) { start += 1 }
        guard start < end else { throw .notExecutable }
        var nameEnd = start
        while nameEnd < end, !Self.isBlank(bytes[nameEnd]), bytes[nameEnd] != 0 { nameEnd += 1 }
        // A name that reaches the end of what was read may go on in the file.
        guard nameEnd > start, !(isCut && nameEnd == end) else { throw .notExecutable }
        interpreter = Self.copy(bytes, start..<nameEnd)
        var argumentStart = nameEnd
        while argumentStart < end, Self.isBlank(bytes[argumentStart]) { argumentStart += 1 }
        var argumentEnd = argumentStart
        while argumentEnd < end, bytes[argumentEnd] != 0 { argumentEnd += 1 }
        argument = argumentStart < argumentEnd ? Self.copy(bytes, argumentStart..<argumentEnd) : nil
    }

    /// How many bytes of a file are looked at (BINPRM_BUF_SIZE).
    static let lineLimit = 256

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        for index in range { result.append(bytes[index]) }
        return result
    }
}
