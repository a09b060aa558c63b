// A made-up file that may be long: its text is made piece by piece as it is read.
//
// Reading on from where the last read ended costs what is read; reading from anywhere else begins at
// the start. Records that come or go meanwhile may be missed, as in Linux's sequence files.

import Primitives
import Tasks

/// Adds the record at `cursor` and those after it until it has added enough, and moves the cursor behind them; false when
/// there are no more.
typealias ShowNext = @Sendable (inout UInt, inout Text, borrowing TaskContext) throws(Errno) -> Bool

final class StreamedInode: PseudoInode, @unchecked Sendable {
    fileprivate let next: ShowNext
    private let check: @Sendable () throws(Errno) -> Void

    /// `check` runs at opening and may refuse.
    init(
        _ fileSystem: FileSystem, number: UInt64, permissions: UInt32, userID: UInt32, groupID: UInt32,
        check: @escaping @Sendable () throws(Errno) -> Void, next: @escaping ShowNext
    ) {
        self.next = next
        self.check = check
        super.init(
            fileSystem, number: number, mode: FileMode(.regular, permissions), userID: userID,
            groupID: groupID)
    }

    override func open(
        _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        try check()
        return StreamedFile(self, path, flags)
    }
}

final class StreamedFile: File, @unchecked Sendable {
    private struct Progress {
        /// Text made and not read yet, which begins at offset `start` of the file.
        var text: [UInt8] = []
        var start = 0
        var cursor: UInt = 0
        var hasEnded = false
    }

    private let source: StreamedInode
    private let progress = Mutex(Progress())

    init(_ source: StreamedInode, _ path: Path?, _ flags: OpenFlags) {
        self.source = source
        super.init(source, path, flags)
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let wanted = position
        let piece = try progress.withLock(task) { progress throws(Errno) in
            try advance(&progress, to: wanted, task)
            return progress.text
        }
        guard !piece.isEmpty else { return 0 }
        let done = try buffer.put(piece.span, task)
        position += done
        return done
    }

    /// Makes text until the piece at hand begins at `position` and is not empty, or there is no more.
    private func advance(
        _ progress: inout Progress, to position: Int, _ task: borrowing TaskContext
    ) throws(Errno) {
        if position < progress.start { progress = Progress() }
        while true {
            let skip = position - progress.start
            if skip < progress.text.count {
                progress.text.removeFirst(skip)
                progress.start = position
                return
            }
            progress.start += progress.text.count
            progress.text = []
            if progress.hasEnded { return }
            var text = Text()
            progress.hasEnded = !(try source.next(&progress.cursor, &text, task))
            progress.text = text.bytes
        }
    }
}
