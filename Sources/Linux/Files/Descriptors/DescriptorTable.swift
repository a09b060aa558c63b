// The file descriptors of a process (`CLONE_FILES` shares them).
//
// Chunks of 64 descriptors, each with a word of bits for those in use and those that close on exec. The lowest
// free descriptor is found through a hint and a second level of bits (chunks that are full): no search.
//
// Invariants: below `hint` no chunk has a free descriptor. A descriptor may be in use
// without a file: it is reserved by a call that is about to open one.

import Primitives

/// The descriptors of a process.
public final class DescriptorTable: @unchecked Sendable {
    /// The ceiling of RLIMIT_NOFILE (`/proc/sys/fs/nr_open`).
    public static let ceiling = 1 << 20

    final class Chunk {
        var used: UInt64 = 0
        var closeOnExec: UInt64 = 0
        var files = InlineArray<64, File?>(repeating: nil)
    }

    struct State: ~Copyable {
        var chunks: [Chunk] = []
        /// One bit a chunk: all its descriptors are in use.
        var full: [UInt64] = []
        /// Word of `full` below which all chunks are full.
        var hint = 0
    }

    /// Task context; files are let go only after it.
    let state: SpinLock<State>

    public init() { state = SpinLock(State()) }

    /// A copy for a new process: the same files, the same flags. Reserved descriptors are not copied.
    public init(copying other: DescriptorTable) {
        state = SpinLock(other.state.withLock { $0.copy() })
    }

    /// The last process that used it is gone: so are its POSIX locks.
    deinit {
        var next: Int32 = 0
        while let (descriptor, file) = self.next(from: next) {
            file.descriptorClosed(by: self)
            next = descriptor &+ 1
        }
    }

    /// No descriptor is as high as this.
    public var capacity: Int { state.withLock { $0.chunks.count << 6 } }

    /// The file of a descriptor.
    public func file(_ descriptor: Int32) throws(Errno) -> File {
        guard let file = find(descriptor) else { throw .badFileDescriptor }
        return file
    }

    @inline(__always)
    func find(_ descriptor: Int32) -> File? { state.withLock { $0.file(descriptor) } }

    /// Reserves the lowest free descriptor at or above `lowest`, below `limit` (RLIMIT_NOFILE).
    public func reserve(
        from lowest: Int32 = 0, limit: Int, closeOnExec: Bool
    ) throws(Errno) -> Int32 {
        try state.withLock { state throws(Errno) in
            guard let found = state.lowestFree(from: Int(lowest)), found < min(limit, Self.ceiling) else {
                throw .tooManyOpenFiles
            }
            state.use(found, closeOnExec: closeOnExec)
            return Int32(truncatingIfNeeded: found)
        }
    }

    /// Gives a reserved descriptor its file.
    public func install(_ descriptor: Int32, _ file: File) {
        state.withLock { $0.setFile(Int(descriptor), file) }
    }

    /// Gives back a reserved descriptor.
    public func cancel(_ descriptor: Int32) { state.withLock { _ = $0.free(Int(descriptor)) } }

    /// Reserves the lowest free descriptor and gives it `file`.
    public func insert(
        _ file: File, from lowest: Int32 = 0, limit: Int, closeOnExec: Bool
    ) throws(Errno) -> Int32 {
        let descriptor = try reserve(from: lowest, limit: limit, closeOnExec: closeOnExec)
        install(descriptor, file)
        return descriptor
    }

    /// Makes `descriptor` mean `file`, whatever it was (dup2(2)); returns what it was.
    public func replace(
        _ descriptor: Int32, with file: File, limit: Int, closeOnExec: Bool
    ) throws(Errno) -> File? {
        guard descriptor >= 0, Int(descriptor) < min(limit, Self.ceiling) else { throw .badFileDescriptor }
        return try state.withLock { state throws(Errno) in
            let index = Int(descriptor)
            let old = state.file(descriptor)
            // Reserved by another thread that is opening a file just now.
            if old == nil, state.isUsed(index) { throw .busy }
            state.use(index, closeOnExec: closeOnExec)
            state.setFile(index, file)
            return old
        }
    }

    /// Takes a descriptor out and returns its file.
    public func remove(_ descriptor: Int32) throws(Errno) -> File {
        try state.withLock { state throws(Errno) in
            guard let file = state.file(descriptor) else { throw .badFileDescriptor }
            _ = state.free(Int(descriptor))
            return file
        }
    }

    /// The close-on-exec flag of a descriptor.
    public func closesOnExec(_ descriptor: Int32) throws(Errno) -> Bool {
        try state.withLock { state throws(Errno) in
            guard state.file(descriptor) != nil else { throw .badFileDescriptor }
            return state.chunks[Int(descriptor) >> 6].closeOnExec & Self.bit(Int(descriptor)) != 0
        }
    }

    /// Sets the close-on-exec flag of a descriptor.
    public func setClosesOnExec(_ descriptor: Int32, _ on: Bool) throws(Errno) {
        try state.withLock { state throws(Errno) in
            guard state.file(descriptor) != nil else { throw .badFileDescriptor }
            state.use(Int(descriptor), closeOnExec: on)
        }
    }

    /// The lowest descriptor in use at or above `from`, with its file.
    public func next(from: Int32) -> (descriptor: Int32, file: File)? {
        state.withLock { $0.next(from: max(Int(from), 0)) { $0.used } }
    }

    /// Takes out the lowest descriptor at or above `from` that closes on exec. Execve calls it until it returns nil.
    public func removeNextClosingOnExec(from: Int32) -> (descriptor: Int32, file: File)? {
        state.withLock { state in
            guard let found = state.next(from: max(Int(from), 0), { $0.used & $0.closeOnExec }) else {
                return nil
            }
            _ = state.free(Int(found.descriptor))
            return found
        }
    }

    @inline(__always)
    static func bit(_ index: Int) -> UInt64 { 1 << UInt64(truncatingIfNeeded: index & 63) }
}

extension DescriptorTable.State {
    @inline(__always)
    func file(_ descriptor: Int32) -> File? {
        let index = Int(descriptor)
        guard index >= 0, index >> 6 < chunks.count else { return nil }
        return chunks[index >> 6].files[index & 63]
    }

    func isUsed(_ index: Int) -> Bool {
        index >> 6 < chunks.count && chunks[index >> 6].used & DescriptorTable.bit(index) != 0
    }

    /// The lowest free descriptor at or above `from`; nil when that would pass the ceiling.
    func lowestFree(from: Int) -> Int? {
        guard from < DescriptorTable.ceiling else { return nil }
        let first = from >> 6
        if first < chunks.count {
            let free = ~chunks[first].used & (~0 << UInt64(from & 63))
            if free != 0 { return first << 6 | free.trailingZeroBitCount }
        } else {
            return from
        }
        var word = max((first + 1) >> 6, hint)
        while word < full.count {
            var open = ~full[word]
            if word == (first + 1) >> 6 { open &= ~0 << UInt64((first + 1) & 63) }
            if open != 0 {
                let chunk = word << 6 | open.trailingZeroBitCount
                guard chunk < chunks.count else { return max(chunks.count << 6, from) }
                return chunk << 6 | (~chunks[chunk].used).trailingZeroBitCount
            }
            word += 1
        }
        return chunks.count << 6
    }

    /// Marks a descriptor as used; makes its chunk.
    mutating func use(_ index: Int, closeOnExec: Bool) {
        while chunks.count <= index >> 6 {
            chunks.append(DescriptorTable.Chunk())
            if full.count << 6 < chunks.count { full.append(0) }
        }
        let chunk = chunks[index >> 6]
        let bit = DescriptorTable.bit(index)
        chunk.used |= bit
        if closeOnExec { chunk.closeOnExec |= bit } else { chunk.closeOnExec &= ~bit }
        guard chunk.used == ~0 else { return }
        full[index >> 12] |= DescriptorTable.bit(index >> 6)
        while hint < full.count, full[hint] == ~0 { hint += 1 }
    }

    mutating func setFile(_ index: Int, _ file: File?) { chunks[index >> 6].files[index & 63] = file }

    /// Makes a descriptor free again.
    mutating func free(_ index: Int) -> File? {
        let chunk = chunks[index >> 6]
        let file = chunk.files[index & 63]
        chunk.files[index & 63] = nil
        chunk.used &= ~DescriptorTable.bit(index)
        chunk.closeOnExec &= ~DescriptorTable.bit(index)
        full[index >> 12] &= ~DescriptorTable.bit(index >> 6)
        hint = min(hint, index >> 12)
        return file
    }

    /// The lowest descriptor with a file, at or above `from`, among those `among` says.
    func next(
        from: Int, _ among: (DescriptorTable.Chunk) -> UInt64
    ) -> (descriptor: Int32, file: File)? {
        var index = from
        while index >> 6 < chunks.count {
            let chunk = chunks[index >> 6]
            let rest = among(chunk) & (~0 << UInt64(index & 63))
            guard rest != 0 else {
                index = ((index >> 6) + 1) << 6
                continue
            }
            index = index & ~63 | rest.trailingZeroBitCount
            if let file = chunk.files[index & 63] { return (Int32(truncatingIfNeeded: index), file) }
            index += 1
        }
        return nil
    }

    func copy() -> DescriptorTable.State {
        var copy = DescriptorTable.State()
        for (number, chunk) in chunks.enumerated() {
            for slot in 0..<64 {
                guard let file = chunk.files[slot] else { continue }
                let index = number << 6 | slot
                copy.use(index, closeOnExec: chunk.closeOnExec & DescriptorTable.bit(index) != 0)
                copy.setFile(index, file)
            }
        }
        return copy
    }
}
