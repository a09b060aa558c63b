// /proc/PID/task: a directory for each thread.

import Primitives

final class ThreadList: PseudoDirectory, @unchecked Sendable {
    private let subject: ProcessSubject

    init(_ subject: ProcessSubject, _ fileSystem: FileSystem, _ number: UInt64) {
        self.subject = subject
        let owner = subject.owner
        super.init(
            fileSystem, number: number, parent: ProcessDirectory.number(of: subject.process),
            userID: owner.userID, groupID: owner.groupID)
    }

    override func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        guard let identifier = ProcessNumber.parse(name), let thread = ProcessTable.task(identifier),
            thread.process === subject.process
        else { throw .noSuchFile }
        return ProcessDirectory(thread, fileSystem)
    }

    /// Positions are thread numbers: threads come in their order whatever comes and goes.
    override func list(
        from position: Int, into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var identifiers = subject.process.tasks.map { $0.identifier }
        identifiers.sort()
        var next = position
        for identifier in identifiers where Int(identifier) >= position {
            let name = Text("\(identifier)").bytes
            let number = 1 << 41 | UInt64(identifier) << 8
            guard buffer.add(name.span, number: number, kind: .directory, next: Int(identifier) + 3) else {
                break
            }
            next = Int(identifier) + 1
        }
        return next
    }
}
