// A file whose text is made when it is read, and whose writes are settings.

import Primitives

typealias ShowText = @Sendable (inout Text, borrowing TaskContext) throws(Errno) -> Void
typealias StoreText = @Sendable (Span<UInt8>, borrowing TaskContext) throws(Errno) -> Void

/// A made-up regular file.
final class GeneratedInode: PseudoInode, @unchecked Sendable {
    fileprivate let show: ShowText?
    fileprivate let store: StoreText?

    init(
        _ fileSystem: FileSystem, number: UInt64, permissions: UInt32, userID: UInt32 = 0,
        groupID: UInt32 = 0,
        show: ShowText?, store: StoreText? = nil
    ) {
        self.show = show
        self.store = store
        super.init(
            fileSystem, number: number, mode: FileMode(.regular, permissions), userID: userID,
            groupID: groupID)
    }

    override func open(
        _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        GeneratedFile(self, path, flags)
    }
}

/// An open made-up file. A read at offset 0 makes the text anew; later reads go on in that text, so
/// that a program sees one moment whole.
final class GeneratedFile: File, @unchecked Sendable {
    private let source: GeneratedInode
    /// Task context, only to exchange the array.
    private let text = SpinLock([UInt8]?.none)
    /// Longest write taken at once, as in Linux.
    private static let writeLimit = 4096

    init(_ source: GeneratedInode, _ path: Path?, _ flags: OpenFlags) {
        self.source = source
        super.init(source, path, flags)
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let bytes = try contents(at: position, task)
        guard position >= 0, position < bytes.count else { return 0 }
        let done = try buffer.put(bytes.span.extracting(position..<bytes.count), task)
        position += done
        return done
    }

    private func contents(at position: Int, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        if position != 0, let bytes = text.withLock({ $0 }) { return bytes }
        guard let show = source.show else { throw .inputOutput }
        var made = Text()
        try show(&made, task)
        let bytes = made.bytes
        text.withLock { $0 = bytes }
        return bytes
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard let store = source.store else { throw .inputOutput }
        var bytes = [UInt8](repeating: 0, count: min(buffer.remaining, Self.writeLimit))
        var span = bytes.mutableSpan
        let count = try buffer.take(into: &span, task)
        try store(bytes.span.extracting(0..<count), task)
        position += count
        return count
    }
}
