// Ramdisks that are damaged, and one that is good and holds programs that are not.
import Foundation

/// A ramdisk of the bad-input tests.
enum BadRamdisk: String, Sendable {
    case good, absent
    case gzipTruncated = "gzip-truncated"
    case gzipCorrupt = "gzip-corrupt"
    case cpioTruncated = "cpio-truncated"
    case cpioCorrupt = "cpio-corrupt"
    case noArchive = "no-archive"

    private static let goodPath = "build/bad-input.cpio.gz"

    /// The archive to boot; nil for none.
    var path: String? {
        switch self {
        case .absent: nil
        case .good: Self.goodPath
        default: "build/bad-\(rawValue)"
        }
    }

    /// Makes all of them.
    static func make() async throws {
        try await makeGood()
        let gzip = Array(try Data(contentsOf: URL(fileURLWithPath: goodPath)))
        let plainFile = "build/bad-plain.cpio"
        _ = try await HostProgram("sh", ["-c", "gunzip -c <\(goodPath) >\(plainFile)"]).output()
        let plain = Array(try Data(contentsOf: URL(fileURLWithPath: plainFile)))
        var corruptGzip = gzip
        for index in stride(from: gzip.count / 2, to: gzip.count / 2 + 400, by: 7) {
            corruptGzip[index] ^= 0x5A
        }
        try write(Array(gzip.prefix(gzip.count / 2)), .gzipTruncated)
        try write(corruptGzip, .gzipCorrupt)
        try write(Array(plain.prefix(plain.count / 2 | 1)), .cpioTruncated)
        try write(corruptedCpio(plain), .cpioCorrupt)
        try write(Array(repeating: 0x55, count: 65536), .noArchive)
    }

    /// The magic of an archive's second header is wrong.
    private static func corruptedCpio(_ plain: [UInt8]) throws -> [UInt8] {
        let magic = Array("070701".utf8)
        guard let second = plain[6...].firstRange(of: magic) else {
            throw ToolError("cpio made an empty archive")
        }
        var result = plain
        result[second.lowerBound + 5] = UInt8(ascii: "9")
        return result
    }

    private static func write(_ bytes: [UInt8], _ kind: BadRamdisk) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "build/bad-\(kind.rawValue)"))
    }

    /// Busybox, and what is to be executed as init.
    private static func makeGood() async throws {
        let tree = try await BusyboxRamdisk.tree(in: "build/bad-input")
        for status in [0, 7, 200] {
            try tree.write("#!/bin/sh\nexit \(status)\n", to: "tests/exit-\(status)", mode: 0o755)
        }
        try tree.write(TinyElf.crashing, to: "tests/crash", mode: 0o755)
        try tree.write("#!/bin/sh\necho \"arguments: $*\"\n", to: "tests/arguments", mode: 0o755)
        try tree.write("#!/no/such/interpreter\n", to: "tests/no-interpreter", mode: 0o755)
        try tree.write("#!/bin/sh\nexit 0\n", to: "tests/not-executable", mode: 0o644)
        try tree.write("This is a text.\n", to: "tests/not-a-program", mode: 0o755)
        try tree.write("", to: "tests/empty", mode: 0o755)
        for elf in TinyElf.lies { try tree.write(elf.bytes, to: "tests/elf-\(elf.name)", mode: 0o755) }
        try await tree.pack(as: goodPath)
    }
}
