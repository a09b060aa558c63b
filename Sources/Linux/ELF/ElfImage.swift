// What an ELF file asks to have in memory, checked against the file and the address space before
// anything is mapped: a file that lies is refused while the program that called `execve` still stands.

import Machine
import Primitives

/// One stretch of memory an ELF file asks for. Addresses are those of the file, before it is moved.
struct ElfSegment: Equatable {
    /// First page to map, and the offset in the file that belongs there.
    let start: UInt
    let fileOffset: UInt
    /// End of what comes from the file; the rest up to `end` is zero.
    let fileEnd: UInt
    let end: UInt
    let isReadable: Bool
    let isWritable: Bool
    let isExecutable: Bool
}

struct ElfImage {
    let header: ElfHeader
    /// In ascending order, as the ABI demands.
    let segments: [ElfSegment]
    /// Where the file names its interpreter (the dynamic loader); nil without one.
    let interpreter: Range<UInt64>?
    /// Whether PT_GNU_STACK wants a stack that can be executed.
    let hasExecutableStack: Bool
    /// Largest alignment of a segment, at least a page.
    let alignment: UInt
    /// Address of the program headers in memory, before moving; 0 if no segment holds them.
    let programHeaderAddress: UInt

    /// First and last address of the image, page aligned.
    var span: Range<UInt> {
        let first = segments[0].start
        return first..<Self.pageUp(segments[segments.count - 1].end)
    }

    /// Checks a file of `fileSize` bytes with this header and table of program headers.
    init(_ header: ElfHeader, table: Span<UInt8>, fileSize: UInt64) throws(Errno) {
        self.header = header
        var segments: [ElfSegment] = []
        var interpreter: Range<UInt64>?
        var executableStack = false
        var alignment = pageSize
        var headers: UInt = 0
        for index in 0..<header.programHeaderCount {
            guard let each = ElfProgramHeader(table, index: index) else { throw .notExecutable }
            switch each.kind {
            case .load:
                guard each.memorySize > 0 else { continue }
                let segment = try Self.segment(each, fileSize, after: segments.last)
                segments.append(segment)
                if each.alignment.nonzeroBitCount == 1, each.alignment <= 1 << 30 {
                    alignment = max(alignment, UInt(each.alignment))
                }
                if let place = Self.programHeaders(header, in: each) { headers = place }
            case .interpreter:
                if interpreter == nil { interpreter = try Self.interpreter(each, fileSize) }
            case .stack: executableStack = each.isExecutable
            case .programHeaders, .other: break
            }
        }
        guard !segments.isEmpty, header.entry < UInt64(KernelLayout.userEnd) else { throw .notExecutable }
        self.segments = segments
        self.interpreter = interpreter
        hasExecutableStack = executableStack
        self.alignment = alignment
        programHeaderAddress = headers
    }

    private static func segment(
        _ header: ElfProgramHeader, _ fileSize: UInt64, after last: ElfSegment?
    ) throws(Errno) -> ElfSegment {
        let end = header.address.addingReportingOverflow(header.memorySize)
        let fileEnd = header.offset.addingReportingOverflow(header.fileSize)
        let offsetInPage = header.address & UInt64(pageSize - 1)
        guard header.fileSize <= header.memorySize, !end.overflow, !fileEnd.overflow,
            end.partialValue <= UInt64(KernelLayout.userEnd - pageSize),
            fileEnd.partialValue <= fileSize,
            header.fileSize == 0 || header.offset & UInt64(pageSize - 1) == offsetInPage,
            header.address >= UInt64(last?.end ?? 0)
        else { throw .notExecutable }
        let fileOffset = header.fileSize == 0 ? 0 : header.offset & ~UInt64(pageSize - 1)
        return ElfSegment(
            start: UInt(header.address & ~UInt64(pageSize - 1)),
            fileOffset: UInt(fileOffset),
            fileEnd: UInt(header.address + header.fileSize),
            end: UInt(end.partialValue),
            isReadable: header.isReadable, isWritable: header.isWritable, isExecutable: header.isExecutable)
    }

    /// PT_INTERP: a path of 2 to 4096 bytes with its final zero.
    private static func interpreter(_ header: ElfProgramHeader, _ fileSize: UInt64) throws(Errno) -> Range<
        UInt64
    > {
        let end = header.offset.addingReportingOverflow(header.fileSize)
        guard header.fileSize >= 2, header.fileSize <= 4096, !end.overflow, end.partialValue <= fileSize
        else { throw .notExecutable }
        return header.offset..<end.partialValue
    }

    /// Where the program headers are in memory if this segment holds the part of the file they are in.
    private static func programHeaders(_ header: ElfHeader, in segment: ElfProgramHeader) -> UInt? {
        guard segment.offset <= header.programHeaderOffset,
            header.programHeaderOffset - segment.offset < segment.fileSize
        else { return nil }
        return UInt(header.programHeaderOffset - segment.offset + segment.address)
    }

    static func pageUp(_ address: UInt) -> UInt { (address + pageSize - 1) & ~(pageSize - 1) }
}
