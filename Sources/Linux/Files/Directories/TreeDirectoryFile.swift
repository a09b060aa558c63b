// An open directory whose entries are all in the tree.

import Primitives

/// Lists the entries of a directory that keeps them, in the order in which they came. Positions stay valid: entries
/// that come or go meanwhile do not move the others.
final class TreeDirectoryFile: File, @unchecked Sendable {
    override func readDirectory(into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext)
        throws(Errno)
    {
        guard let path, let children = path.entry.children else { throw .notDirectory }
        try inode.withMutex(task) { () throws(Errno) in
            guard !path.entry.isRemoved else { throw .noSuchFile }
            try addDots(path, &buffer)
            // Positions 0 and 1 are the dots; an entry is at its cookie.
            while position >= 2, let entry = children.next(from: UInt(bitPattern: position)) {
                let next = Int(bitPattern: entry.cookie) &+ 1
                let inode = entry.inode
                let name = entry.name
                guard buffer.add(name.span, number: inode.number, kind: inode.kind, next: next) else {
                    return
                }
                position = next
            }
        }
        touchAccessed()
    }

    private func addDots(_ path: Path, _ buffer: inout DirectoryBuffer) throws(Errno) {
        if position == 0 {
            let dot: InlineArray<1, UInt8> = [46]
            guard buffer.add(dot.span, number: inode.number, kind: .directory, next: 1) else { return }
            position = 1
        }
        if position == 1 {
            let dots: InlineArray<2, UInt8> = [46, 46]
            let above = Tree.parent(of: path.entry) ?? path.entry
            guard buffer.add(dots.span, number: above.inode.number, kind: .directory, next: 2) else { return }
            position = 2
        }
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        switch origin {
        case .start, .current: return try super.seek(offset, origin, task)
        default: throw .invalid
        }
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int { throw .isDirectory }

    override func synchronize(_ task: borrowing TaskContext) throws(Errno) {}
}
