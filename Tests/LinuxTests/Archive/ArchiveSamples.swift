// Archives made for tests: by the host's gzip, and cpio entries built by hand.

import Foundation

import Primitives

@testable import Linux

/// A generator with a seed, so that a failing case can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }
}

enum Sample {
    /// Compressed by the host's gzip.
    static func gzip(_ bytes: [UInt8], level: Int = 6) throws -> [UInt8] {
        let directory = FileManager.default.temporaryDirectory
        let file = directory.appendingPathComponent("apus-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-\(level)", "-n", "-c", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return [UInt8](output)
    }

    /// Bytes in which runs, copies from near and far, and noise take turns.
    static func mixed(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed)
        var bytes: [UInt8] = []
        while bytes.count < count {
            let length = Int.random(in: 1...400, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                bytes += [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: length)
            case 1:
                for _ in 0..<length { bytes.append(UInt8.random(in: 0...255, using: &random)) }
            case 2 where !bytes.isEmpty:
                let distance = Int.random(in: 1...min(bytes.count, 32768), using: &random)
                for _ in 0..<length { bytes.append(bytes[bytes.count - distance]) }
            default:
                for _ in 0..<length { bytes.append(UInt8.random(in: 97...110, using: &random)) }
            }
        }
        return [UInt8](bytes.prefix(count))
    }

    /// An entry of a cpio archive.
    static func cpio(
        _ name: String, mode: UInt32, _ contents: [UInt8] = [], inode: UInt32 = 0, links: UInt32 = 1,
        userID: UInt32 = 0, device: (UInt32, UInt32) = (0, 0), magic: String = "070701", sum: UInt32 = 0
    ) -> [UInt8] {
        let numbers: [UInt32] = [
            inode, mode, userID, 0, links, 1_000_000_000, UInt32(contents.count), 8, 1, device.0, device.1,
            UInt32(name.utf8.count + 1), sum,
        ]
        var bytes = [UInt8](magic.utf8)
        for number in numbers {
            let digits = String(number, radix: 16, uppercase: true)
            bytes += [UInt8](repeating: 48, count: 8 - digits.utf8.count) + [UInt8](digits.utf8)
        }
        bytes += [UInt8](name.utf8) + [0]
        pad(&bytes)
        bytes += contents
        pad(&bytes)
        return bytes
    }

    static let trailer = cpio("TRAILER!!!", mode: 0)

    static func pad(_ bytes: inout [UInt8]) { while bytes.count % 4 != 0 { bytes.append(0) } }
}

/// Decompresses a gzip member as a whole.
func gunzip(_ bytes: [UInt8]) throws(ArchiveError) -> [UInt8] {
    var output: [UInt8] = []
    try unsafe bytes.span.withUnsafeBytes { (input) throws(ArchiveError) in
        _ = try unsafe Gzip.decompress(input, from: 0) { (piece, _) throws(ArchiveError) in
            unsafe output += [UInt8](piece)
        }
    }
    return output
}

/// Notes what an archive holds.
final class RecordingReceiver: CpioReceiver {
    var log: [String] = []
    var contents: [UInt8] = []

    override func begin(
        _ entry: CpioEntry, _ name: Span<UInt8>, _ task: borrowing TaskContext
    ) throws(CpioProblem) {
        var bytes: [UInt8] = []
        for index in name.indices { bytes.append(name[index]) }
        log.append("\(String(decoding: bytes, as: UTF8.self)) \(String(entry.mode, radix: 8))")
        contents = []
    }

    override func data(_ bytes: UnsafeRawBufferPointer, _ task: borrowing TaskContext) throws(CpioProblem) {
        unsafe contents += [UInt8](bytes)
    }

    override func end(_ task: borrowing TaskContext) throws(CpioProblem) {
        log.append("= \(String(decoding: contents, as: UTF8.self))")
    }
    override func archiveEnded() { log.append("end") }
}

/// Reads a ramdisk; nil or what was wrong.
func read(_ bytes: [UInt8], _ receiver: CpioReceiver) -> ArchiveError? {
    do throws(ArchiveError) {
        try unsafe bytes.span.withUnsafeBytes { (input) throws(ArchiveError) in
            try unsafe Ramdisk.read(input, receiver, .forTests)
        }
        return nil
    } catch {
        return error
    }
}
