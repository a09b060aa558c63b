// Someone types at a line discipline and looks at the screen.

@testable import Linux

final class TypingDesk {
    var discipline = LineDiscipline()
    var effects: LineDiscipline.Effects = []
    /// Bytes that the discipline would not take.
    var refused = 0

    init(
        local: Termios.Local? = nil, input: Termios.Input? = nil, output: Termios.Output? = nil,
        _ change: (inout Termios) -> Void = { _ in }
    ) {
        var termios = Termios()
        if let local { termios.local = local }
        if let input { termios.input = input }
        if let output { termios.output = output }
        change(&termios)
        _ = discipline.setTermios(termios)
    }

    func change(_ change: (inout Termios) -> Void) {
        var termios = discipline.termios
        change(&termios)
        effects.formUnion(discipline.setTermios(termios))
    }

    func type(_ text: String) { type(Array(text.utf8)) }

    func type(_ bytes: [UInt8]) {
        for byte in bytes {
            let result = discipline.receive(byte)
            if result.contains(.full) { refused += 1 }
            effects.formUnion(result)
        }
    }

    /// What was echoed since the last look.
    func screenBytes() -> [UInt8] {
        var seen: [UInt8] = []
        while let byte = discipline.echo.first {
            seen.append(byte)
            discipline.echo.removeFirst()
        }
        return seen
    }

    func screen() -> String { String(decoding: screenBytes(), as: UTF8.self) }

    /// One `read` of up to `limit` bytes; nil where it would wait.
    func readBytes(_ limit: Int = 8192) -> [UInt8]? {
        guard discipline.isReadable() else { return nil }
        var bytes: [UInt8] = []
        _ = discipline.take(limit: limit) { bytes.append($0) }
        return bytes
    }

    func read(_ limit: Int = 8192) -> String? {
        readBytes(limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What the device gets for a written text.
    func write(_ text: String) -> String {
        var sent: [UInt8] = []
        for byte in text.utf8 {
            let size = discipline.outputSize(byte)
            let expansion = discipline.process(byte)
            precondition(expansion.count <= size)
            for index in 0..<expansion.count { sent.append(expansion[index]) }
        }
        return String(decoding: sent, as: UTF8.self)
    }
}
