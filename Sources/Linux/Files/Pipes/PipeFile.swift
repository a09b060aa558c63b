// An open end of a pipe or FIFO.

import Memory
import Primitives
import Tasks

/// One end, or with O_RDWR both.
final class PipeFile: File, @unchecked Sendable {
    let pipe: Pipe
    /// What there was when this end began to count.
    let opening: Pipe.Opening

    /// An end that the pipe counts already, from here on to the last close.
    init(_ pipe: Pipe, _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ opening: Pipe.Opening) {
        self.pipe = pipe
        self.opening = opening
        super.init(inode, path, flags)
    }

    deinit { pipe.close(reads: isReadable, writes: isWritable) }

    override var pipeBehind: Pipe? { pipe }
    override var isSeekable: Bool { false }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let count = try pipe.read(into: &buffer, isNonBlocking: isNonBlocking, task)
        if count > 0 { touchAccessed() }
        return count
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let count = try pipe.write(from: &buffer, isNonBlocking: isNonBlocking, task)
        if count > 0 { inode.touchModified() }
        return count
    }

    override func poll(_ table: PollTable?) -> PollEvents {
        let hadWriter = pipe.hasWriters || pipe.writerOpeningCount != opening.writerOpenings || path == nil
        return pipe.poll(reads: isReadable, writes: isWritable, hadWriter: hadWriter, table)
    }

    override func ioctl(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        guard command == FileControl.bytesToRead else { throw .notTerminal }
        try UserPointer<Int32>(argument).store(Int32(truncatingIfNeeded: pipe.byteCount), task)
        return 0
    }

    override func describe() -> [UInt8] { path == nil ? AnonymousName.of("pipe", inode) : super.describe() }
}
