import Testing

import Primitives

@testable import Linux

@Suite struct ArchiveCpioTests {
    private let archive =
        Sample.cpio(".", mode: 0o40755) + Sample.cpio("bin", mode: 0o40755)
        + Sample.cpio("bin/sh", mode: 0o100755, [UInt8]("program".utf8))
        + Sample.cpio("a", mode: 0o120777, [UInt8]("bin/sh".utf8)) + Sample.cpio("empty", mode: 0o100600)
        + Sample.trailer

    private let expected = [
        ". 40755", "= ", "bin 40755", "= ", "bin/sh 100755", "= program", "a 120777", "= bin/sh",
        "empty 100600", "= ", "end",
    ]

    @Test func plain() {
        let receiver = RecordingReceiver()
        #expect(read(archive, receiver) == nil)
        #expect(receiver.log == expected)
    }

    @Test func compressed() throws {
        let receiver = RecordingReceiver()
        #expect(read(try Sample.gzip(archive), receiver) == nil)
        #expect(receiver.log == expected)
    }

    @Test func severalOneAfterTheOther() throws {
        let zeros = [UInt8](repeating: 0, count: 512)
        let both = archive + zeros + archive + zeros
        let whole = both + (try Sample.gzip(both)) + zeros + (try Sample.gzip(archive))
        let receiver = RecordingReceiver()
        #expect(read(whole, receiver) == nil)
        #expect(receiver.log == expected + expected + expected + expected + expected)
    }

    /// The reader does not care where pieces are cut.
    @Test func everyCut() throws {
        let whole = archive + archive
        for cut in 0...whole.count {
            let receiver = RecordingReceiver()
            var reader = CpioReader(receiver)
            try unsafe whole.withUnsafeBytes { bytes in
                _ = try unsafe reader.read(UnsafeRawBufferPointer(rebasing: bytes[..<cut]), .forTests)
                _ = try unsafe reader.read(UnsafeRawBufferPointer(rebasing: bytes[cut...]), .forTests)
            }
            let isComplete = reader.isComplete
            #expect(isComplete)
            #expect(receiver.log == expected + expected)
        }
    }

    @Test func truncationIsFound() {
        // The trailer's padding may be missing.
        for count in 1..<(archive.count - 3) {
            let error = read([UInt8](archive[..<count]), RecordingReceiver())
            #expect(error?.reason == .corrupt, "\(count) bytes")
        }
    }

    @Test func errorsSayWhere() {
        var wrong = archive
        wrong[120 + 4] = 120
        let error = read(wrong, RecordingReceiver())
        #expect(error?.offset == 112)
        let garbage = read(archive + [1, 2, 3, 4], RecordingReceiver())
        #expect(garbage?.offset == archive.count)
        #expect(read([], RecordingReceiver()) == nil)
        #expect(read([UInt8]("#!/bin/sh\n".utf8), RecordingReceiver())?.offset == 0)
    }

    @Test func checkSums() {
        let right = Sample.cpio("f", mode: 0o100644, [1, 2, 250], magic: "070702", sum: 253)
        #expect(read(right + Sample.trailer, RecordingReceiver()) == nil)
        let wrong = Sample.cpio("f", mode: 0o100644, [1, 2, 250], magic: "070702", sum: 254)
        #expect(read(wrong + Sample.trailer, RecordingReceiver())?.reason == .corrupt)
    }

    @Test func noiseNeverHarms() {
        var random = SeededGenerator(9)
        for _ in 0..<20000 {
            var noisy = archive
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<noisy.count, using: &random)
                noisy[index] = Bool.random(using: &random) ? 70 : UInt8.random(in: 0...255, using: &random)
            }
            _ = read(noisy, RecordingReceiver())
        }
    }
}
