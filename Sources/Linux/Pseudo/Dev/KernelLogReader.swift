// The kernel log as records: whole lines, each with a number.

import Primitives

/// Walks through the log line by line. A value; its owner keeps it where one thread at a time uses it.
struct KernelLogReader {
    /// One line of the log.
    struct Record: Equatable {
        var sequence: UInt64
        var level: UInt8
        var microseconds: UInt64
        var text: [UInt8]
    }

    /// Lines were lost: the reader was too slow.
    struct Overrun: Error {}

    /// Position of the next line in the log.
    private(set) var position: UInt64 = 0
    private var sequence: UInt64 = 0

    /// At the oldest line that is still there.
    init() { rewind() }

    mutating func rewind() {
        let start = KernelLog.oldestLine
        position = start.position
        sequence = start.number
    }

    /// Behind the newest line.
    mutating func skipToEnd() {
        let end = KernelLog.newestLine
        position = end.position
        sequence = end.number
    }

    /// The next line; nil if there is none yet. Throws once when lines were lost, and goes on at the oldest.
    mutating func next() throws(Overrun) -> Record? {
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256)
        var at = position
        while true {
            var span = chunk.mutableSpan
            let (count, start) = KernelLog.read(from: at, into: &span)
            guard start == at else {
                rewind()
                throw Overrun()
            }
            guard count > 0 else { return nil }
            for index in 0..<count {
                at += 1
                if chunk[index] == 10 {
                    let record = Self.parse(line, sequence)
                    position = at
                    sequence += 1
                    return record
                }
                line.append(chunk[index])
            }
        }
    }

    /// `<level>[seconds.microseconds] text`
    static func parse(_ line: [UInt8], _ sequence: UInt64) -> Record {
        var record = Record(sequence: sequence, level: 6, microseconds: 0, text: line)
        guard line.count > 4, line[0] == 60, line[2] == 62, line[3] == 91,
            let end = line.firstIndex(of: 93)
        else { return record }
        record.level = (line[1] &- 48) & 7
        for index in 4..<end where line[index] >= 48 && line[index] <= 57 {
            record.microseconds = record.microseconds &* 10 &+ UInt64(line[index] - 48)
        }
        record.text = Array(line[min(end + 2, line.count)...])
        return record
    }
}
