import Primitives
import Testing

@testable import Linux

@Suite struct ElfImageTests {
    static let size: UInt64 = 0x10000

    func image(_ builder: ElfBuilder, fileSize: UInt64 = size) throws -> ElfImage {
        let bytes = builder.bytes
        let header = try ElfHeader(bytes.span)
        let start = Int(header.programHeaderOffset)
        let end = start + header.programHeaderCount * ElfHeader.programHeaderSize
        let table = Array(bytes[start..<end])
        return try ElfImage(header, table: table.span, fileSize: fileSize)
    }

    func builder(_ change: (inout ElfBuilder.Header) -> Void = { _ in }) -> ElfBuilder {
        var builder = ElfBuilder()
        var load = ElfBuilder.Header(type: 1)
        change(&load)
        builder.headers = [load]
        return builder
    }

    @Test func acceptsAProgram() throws {
        var builder = builder()
        builder.headers.append(
            .init(
                type: 1, flags: 6, offset: 0x1e10, address: 0x402e10, fileSize: 0x100, memorySize: 0x2300))
        builder.headers.append(.init(type: 0x6474_e551, flags: 6))
        let image = try image(builder)
        #expect(image.segments.count == 2)
        #expect(
            image.segments[1]
                == ElfSegment(
                    start: 0x402000, fileOffset: 0x1000, fileEnd: 0x402f10, end: 0x405110, isReadable: true,
                    isWritable: true, isExecutable: false))
        #expect(image.span == 0x400000..<0x406000)
        #expect(image.programHeaderAddress == 0x400040)
        #expect(!image.hasExecutableStack)
        #expect(image.header.kind == .fixed)
    }

    @Test func findsTheInterpreter() throws {
        var builder = builder()
        builder.type = 3
        builder.headers.append(.init(type: 3, offset: 0x200, fileSize: 28))
        let image = try image(builder)
        #expect(image.interpreter == 0x200..<0x21c)
        #expect(image.header.kind == .positionIndependent)
    }

    @Test func takesTheLargestAlignment() throws {
        #expect(try image(builder { $0.alignment = 0x200000 }).alignment == 0x200000)
        #expect(try image(builder { $0.alignment = 3 }).alignment == 4096)
        #expect(try image(builder { $0.alignment = 1 << 62 }).alignment == 4096)
    }

    static let lies: [(String, @Sendable (inout ElfBuilder.Header) -> Void)] = [
        ("more in the file than in memory", { $0.memorySize = 0xfff }),
        ("past the file's end", { $0.offset = 0x10000 }),
        ("offset that wraps", { $0.offset = .max & ~0xfff }),
        ("size that wraps", { $0.fileSize = .max }),
        ("memory that wraps", { $0.memorySize = .max - 0x1000 }),
        ("above user space", { $0.address = 0x4000_0000_0000 }),
        ("into the kernel's part", { $0.memorySize = 0x4000_0000_0000 }),
        ("high half", { $0.address = 0xffff_ffff_8000_0000 }),
        ("offset and address disagree", { $0.address = 0x400010 }),
    ]

    @Test(arguments: lies.indices) func refusesLies(_ index: Int) {
        #expect(throws: Errno.notExecutable) { try image(builder(Self.lies[index].1)) }
    }

    @Test func refusesOverlapsAndDisorder() {
        var overlap = builder()
        overlap.headers.append(.init(type: 1, address: 0x400800, fileSize: 0, memorySize: 0x1000))
        #expect(throws: Errno.notExecutable) { try image(overlap) }
        var disorder = builder()
        disorder.headers.append(.init(type: 1, address: 0x300000))
        #expect(throws: Errno.notExecutable) { try image(disorder) }
    }

    @Test func refusesProgramsWithNothingToLoad() {
        var none = ElfBuilder()
        none.headers = [.init(type: 4)]
        #expect(throws: Errno.notExecutable) { try image(none) }
        #expect(throws: Errno.notExecutable) {
            try image(
                builder {
                    $0.memorySize = 0; $0.fileSize = 0
                })
        }
    }

    @Test(arguments: [0, 1, 4097]) func refusesInterpretersOfWrongLength(_ length: UInt64) {
        var builder = builder()
        builder.headers.append(.init(type: 3, offset: 0x200, fileSize: length))
        #expect(throws: Errno.notExecutable) { try image(builder) }
    }

    @Test func refusesOtherFiles() {
        let good = builder().bytes
        #expect((try? ElfHeader(good.span)) != nil)
        for (offset, value) in [(0, 0x7e), (4, 1), (5, 2), (6, 0), (16, 1), (18, 3), (54, 32), (56, 0)] {
            var bytes = good
            bytes[offset] = UInt8(value)
            #expect(throws: Errno.notExecutable) { try ElfHeader(bytes.span) }
        }
        for length in [0, 3, 4, 63] {
            let cut = Array(good.prefix(length))
            #expect(throws: Errno.notExecutable) { try ElfHeader(cut.span) }
        }
        var many = good
        many[56] = 0xff
        many[57] = 0xff
        #expect(throws: Errno.notExecutable) { try ElfHeader(many.span) }
    }

    /// Whatever the bytes, the answer is an image within the file and user space, or an error.
    @Test func survivesRandomChanges() {
        var random = SystemRandomNumberGenerator()
        var good = builder()
        good.headers.append(.init(type: 3, offset: 0x200, fileSize: 28))
        good.headers.append(.init(type: 1, flags: 6, offset: 0x2000, address: 0x402000))
        let bytes = good.bytes
        var accepted = 0
        for _ in 0..<20000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<changed.count, using: &random)
                changed[place] = [0, 0xff, 0x7f, 0x80, UInt8.random(in: 0...255)].randomElement()!
            }
            guard let header = try? ElfHeader(changed.span) else { continue }
            let table = Array(changed.dropFirst(64))
            guard let image = try? ElfImage(header, table: table.span, fileSize: Self.size)
            else { continue }
            accepted += 1
            for segment in image.segments {
                #expect(segment.start <= segment.fileEnd && segment.fileEnd <= segment.end)
                #expect(segment.end < 0x4000_0000_0000)
                #expect(
                    UInt64(segment.fileOffset) + UInt64(segment.fileEnd - segment.start) <= Self.size
                        || segment.fileEnd & 0xfff == 0 || segment.fileOffset == 0)
            }
        }
        #expect(accepted > 100)
    }
}
