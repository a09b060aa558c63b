// Tiny static programs, to be executed as init: one that crashes, and many that lie about
// themselves. A lie begins as a correct program that would exit with status 0, and is then changed
// in one place.

/// Makes ELF files of a few bytes.
enum TinyElf {
    /// A program whose only instruction is an undefined one, hence SIGILL.
    static let crashing = file(code: [0x0F, 0x0B])

    /// The lies, by name. The program's only segment is at 0x400000 and holds the whole file.
    static let lies: [(name: String, bytes: [UInt8])] = [
        ("truncated-header", Array(program.prefix(40))),
        (
            "segment-after-end-of-file",
            changed(at: programHeader + 32, to: 0x100_0000, and: programHeader + 40)
        ),
        ("file-size-above-memory-size", changed(at: programHeader + 40, to: 8)),
        ("segment-in-kernel", changed(at: programHeader + 16, to: 0x4000_0020_0000)),
        ("segment-wraps-around", changed(at: programHeader + 40, to: UInt64.max - 0xFFF)),
        ("offset-wraps-around", changed(at: programHeader + 8, to: UInt64.max - 0xFFF)),
        ("headers-after-end-of-file", changed(at: 32, to: 0x7FFF_FFFF_FFFF)),
        ("no-segments", changed(halfAt: 56, to: 0)),
        ("too-many-segments", changed(halfAt: 56, to: 0xFFFF)),
        ("wrong-header-size", changed(halfAt: 54, to: 24)),
        ("other-machine", changed(halfAt: 18, to: 183)),
        ("missing-interpreter", withInterpreter),
    ]

    private static let headerSize = 64
    private static let programHeader = 64
    private static let base: UInt64 = 0x40_0000

    /// mov $60, %eax; xor %edi, %edi; syscall
    private static let program = file(code: [0xB8, 60, 0, 0, 0, 0x31, 0xFF, 0x0F, 0x05])

    private static func file(code: [UInt8]) -> [UInt8] {
        let codeOffset = UInt64(headerSize + 56)
        let size = codeOffset + UInt64(code.count)
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
        bytes += halves([2, 62]) + words([1])
        bytes += longs([base + codeOffset, UInt64(programHeader), 0]) + words([0])
        bytes += halves([UInt16(headerSize), 56, 1, 0, 0, 0])
        bytes += words([1, 5]) + longs([0, base, base, size, size, 0x1000])
        return bytes + code
    }

    /// The same with PT_INTERP in place of the first header, and its text at the end.
    private static let withInterpreter: [UInt8] = {
        let path = Array("/no/such/interpreter\0".utf8)
        var bytes = program
        let offset = UInt64(bytes.count)
        replace(&bytes, at: programHeader, with: words([3, 4]))
        replace(
            &bytes, at: programHeader + 8,
            with: longs([offset, 0, 0, UInt64(path.count), UInt64(path.count), 1]))
        return bytes + path
    }()

    private static func changed(at offset: Int, to value: UInt64, and second: Int? = nil) -> [UInt8] {
        var bytes = program
        replace(&bytes, at: offset, with: longs([value]))
        if let second { replace(&bytes, at: second, with: longs([value])) }
        return bytes
    }

    private static func changed(halfAt offset: Int, to value: UInt16) -> [UInt8] {
        var bytes = program
        replace(&bytes, at: offset, with: halves([value]))
        return bytes
    }

    private static func replace(_ bytes: inout [UInt8], at offset: Int, with new: [UInt8]) {
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
    }

    private static func halves(_ values: [UInt16]) -> [UInt8] { littleEndian(values) }
    private static func words(_ values: [UInt32]) -> [UInt8] { littleEndian(values) }
    private static func longs(_ values: [UInt64]) -> [UInt8] { littleEndian(values) }

    private static func littleEndian(_ values: [some FixedWidthInteger]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }
}
