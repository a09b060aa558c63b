import Primitives
import Testing

@Suite struct LogTests {
    private func text(_ message: LogMessage) -> String {
        String(decoding: (0..<message.count).map { message[$0] }, as: UTF8.self)
    }

    @Test func numbers() {
        #expect(
            text("\(0) \(-5) \(UInt64.max) \(Int64.min)") == "0 -5 18446744073709551615 -9223372036854775808")
        #expect(
            text("\(hex: 0) \(hex: UInt8(255)) \(hex: UInt64.max) \(hex: 10, digits: 4)")
                == "0 ff ffffffffffffffff 000a")
        #expect(text("[\(padded: 12, to: 5).\(padded: 34, to: 6, with: 48)]") == "[   12.000034]")
    }

    @Test func outsideTextShowsNoControlCharacters() {
        #expect(text("<\([27, 65, 10, 127] as [UInt8])>") == "<?A??>")
    }

    @Test func longLinesAreCut() {
        let long = [UInt8](repeating: 65, count: 1000)
        #expect(text("\(long)\(long)").count == LogMessage.capacity)
    }

    @Test func ringKeepsTheLastLines() {
        let from = KernelLog.written
        printk(.warning, "first line")
        printk(.info, "second \(2)")
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var span = bytes.mutableSpan
        let (count, position) = KernelLog.read(from: from, into: &span)
        let lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
        #expect(position == from)
        // Tests that run beside this one write lines of their own, and set the clock.
        let first = lines.firstIndex { $0.hasPrefix("<4>[") && $0.hasSuffix("] first line") }
        let second = lines.firstIndex { $0.hasPrefix("<6>[") && $0.hasSuffix("] second 2") }
        #expect(first != nil && second != nil && first! < second!)
    }
}
