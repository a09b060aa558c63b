// What a task that has ended points at instead of its files, so that they are closed at once.

import Machine
import Primitives

extension DescriptorTable {
    /// Holds nothing, ever.
    static let ended = DescriptorTable()
}

extension FileSystemContext {
    /// The root directory. Set once, before the first process; `nil` only before.
    nonisolated(unsafe) private static var endedContext: FileSystemContext?

    static func makeEnded(root: Path) {
        // Called once, by the only thread there is.
        unsafe endedContext = FileSystemContext(root: root, working: root)
    }

    /// Nil before there are processes.
    static var ended: FileSystemContext? { unsafe endedContext }
}

extension NameContext {
    /// Where a name that `task` gives is looked up: relative ones in `directory` (`AT_FDCWD` for the working directory).
    init(_ task: LinuxTask, directory: Int32, name: [UInt8]) throws(Errno) {
        let fileSystem = task.fileSystem
        var start = fileSystem.working
        if name.first != 0x2f, directory != PathArgument.workingDirectory {
            guard let path = try task.files.file(directory).path else { throw .notDirectory }
            start = path
        }
        self.init(
            root: fileSystem.root, start: start, credentials: task.credentials, umask: fileSystem.umask)
    }
}

enum PathArgument {
    /// AT_FDCWD
    static let workingDirectory: Int32 = -100
}
