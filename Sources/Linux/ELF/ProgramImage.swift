// Building the address space of a new program beside the old one, which stands until nothing can fail any more.

import Machine
import Memory
import Primitives

/// An address space with a program in it.
struct ProgramImage {
    let space: AddressSpace
    /// First instruction: the interpreter's if there is one.
    private(set) var start: UInt = 0
    /// The program's own entry point and headers, as AT_ENTRY and AT_PHDR name them.
    private(set) var entry: UInt = 0
    private(set) var programHeaders: UInt = 0
    private(set) var programHeaderCount = 0
    /// Where the interpreter lies, 0 without one.
    private(set) var base: UInt = 0
    /// First address behind the program, where its break begins.
    private(set) var end: UInt = 0
    let stackTop: UInt
    /// Partial pages to be cleared once the space is in use.
    private var tails: [(start: UInt, length: UInt, isRequired: Bool)] = []

    /// The largest part of the stack that is mapped at once; it grows below.
    static let initialStack: UInt = 0x21000
    /// Programs that can be anywhere go to two thirds of the address space and up to 1 TiB above.
    private static let movableBase: UInt = KernelLayout.userEnd / 3 * 2 & ~(pageSize - 1)

    /// An empty space with a stack. `stackLimit` is RLIMIT_STACK.
    init(stackLimit: UInt64, isStackExecutable: Bool, _ task: borrowing TaskContext) throws(Errno) {
        space = try AddressSpace()
        // 22 random bits of pages, as on Linux: up to 16 GiB.
        stackTop = AddressSpace.highest &- Self.randomPages(bits: 22)
        let gap = min(max(UInt(clamping: stackLimit), 128 << 20), KernelLayout.userEnd / 6 * 5)
        let below = stackTop &- min(gap, stackTop / 2) &- (1 << 20)
        space.setMapTop(below &- Self.randomPages(bits: 26) & ~(pageSize - 1))
        var request = MappingRequest(
            length: Self.initialStack, protection: isStackExecutable ? .all : [.read, .write])
        request.hint = stackTop &- Self.initialStack
        request.placement = .fixed
        request.flags = .growsDown
        request.kind = .stack
        _ = try space.map(request, task)
    }

    /// Up to 2^bits - 1 pages, in bytes.
    private static func randomPages(bits: UInt) -> UInt {
        UInt(Randomness.word()) & ((1 << bits) &- 1) &* pageSize
    }

    /// Maps the program itself.
    mutating func load(
        _ image: ElfImage, _ file: ProgramFile, _ task: borrowing TaskContext
    ) throws(Errno) {
        var bias: UInt = 0
        if image.header.kind == .positionIndependent {
            let place = Self.movableBase &+ Self.randomPages(bits: 28)
            bias = place & ~(image.alignment &- 1) &- image.span.lowerBound & ~(image.alignment &- 1)
        }
        try map(image, file, bias, task)
        entry = UInt(image.header.entry) &+ bias
        start = entry
        programHeaders = image.programHeaderAddress == 0 ? 0 : image.programHeaderAddress &+ bias
        programHeaderCount = image.header.programHeaderCount
        end = image.span.upperBound &+ bias
        space.setHeapStart(end &+ Self.randomPages(bits: 13))
    }

    /// Maps the interpreter, wherever there is room.
    mutating func loadInterpreter(
        _ image: ElfImage, _ file: ProgramFile, _ task: borrowing TaskContext
    ) throws(Errno) {
        var bias: UInt = 0
        if image.header.kind == .positionIndependent {
            // A reservation finds the place; the segments replace it.
            let length = image.span.upperBound - image.span.lowerBound
            let found = try space.map(MappingRequest(length: length &+ image.alignment, protection: []), task)
            try space.unmap(found, length: length &+ image.alignment)
            bias = (found &+ image.alignment &- 1) & ~(image.alignment &- 1) &- image.span.lowerBound
        }
        try map(image, file, bias, task)
        base = bias
        start = UInt(image.header.entry) &+ bias
    }

    private mutating func map(
        _ image: ElfImage, _ file: ProgramFile, _ bias: UInt, _ task: borrowing TaskContext
    ) throws(Errno) {
        for segment in image.segments {
            let protection = Self.protection(segment)
            let fileEnd = ElfImage.pageUp(segment.fileEnd)
            if segment.fileEnd > segment.start {
                var request = MappingRequest(length: fileEnd - segment.start, protection: protection)
                request.hint = segment.start &+ bias
                request.placement = .fixed
                request.object = try file.file.memoryObject(task)
                request.pageOffset = Int(segment.fileOffset / pageSize)
                _ = try space.map(request, task)
            }
            let zeroStart = segment.fileEnd > segment.start ? fileEnd : segment.start
            if ElfImage.pageUp(segment.end) > zeroStart {
                var request = MappingRequest(
                    length: ElfImage.pageUp(segment.end) - zeroStart, protection: protection)
                request.hint = zeroStart &+ bias
                request.placement = .fixed
                _ = try space.map(request, task)
            }
            if segment.end > segment.fileEnd, fileEnd > segment.fileEnd, segment.fileEnd > segment.start {
                tails.append((segment.fileEnd &+ bias, fileEnd - segment.fileEnd, segment.isWritable))
            }
        }
    }

    private static func protection(_ segment: ElfSegment) -> Protection {
        var protection: Protection = []
        if segment.isReadable { protection.insert(.read) }
        if segment.isWritable { protection.insert(.write) }
        if segment.isExecutable { protection.insert(.execute) }
        return protection
    }

    /// Clears what lies behind the file's bytes in their last pages. The space is the running thread's.
    func clearTails(_ task: borrowing TaskContext) throws(Errno) {
        for tail in tails {
            do throws(Errno) {
                try UserMemory.clear(tail.start, count: Int(tail.length), task)
            } catch {
                // A segment that cannot be written keeps what the file has there.
                if tail.isRequired { throw error }
            }
        }
    }
}
