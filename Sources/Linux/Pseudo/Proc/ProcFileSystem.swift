// /proc: what the kernel knows about processes and about itself (proc(5)).
//
// The root lists the fixed files first and then a directory for each process. Everything fixed is put in at
// boot, from tables in the files beside this one.

import Primitives

enum ProcFileSystem {
    static let magic = 0x9fa0

    /// Made at its first use; the same one wherever it is mounted.
    static let shared: PseudoFileSystem = make()

    private static func make() -> PseudoFileSystem {
        let fileSystem = PseudoFileSystem(typeName: "proc", magic: magic, hasFixedNames: true)
        let number = fileSystem.takeNumber()
        let root = ProcRoot(fileSystem, number: number, parent: number)
        let tree = PseudoTree(fileSystem: fileSystem, root: root)
        addSelfLinks(to: tree)
        ProcKernelFiles.add(to: tree)
        ProcProcessorFiles.add(to: tree)
        ProcMemoryFiles.add(to: tree)
        ProcStatistics.add(to: tree)
        ProcInterruptFiles.add(to: tree)
        ProcIRQFiles.add(to: tree)
        ProcInputFiles.add(to: tree)
        RTCDescription.addProc(to: tree)
        ProcSettings.add(to: tree)
        SystemRequests.add(to: tree)
        fileSystem.root = PathEntry(root: root)
        return fileSystem
    }

    /// `self` and `thread-self`, which lead each process to its own directory.
    private static func addSelfLinks(to tree: PseudoTree) {
        let fileSystem = tree.fileSystem
        tree.add(
            "self",
            inode: PseudoLink(fileSystem, number: fileSystem.takeNumber()) { _ throws(Errno) in
                guard let task = Caller.task else { throw .noSuchFile }
                return .name(Text("\(task.process.identifier)").bytes)
            })
        tree.add(
            "thread-self",
            inode: PseudoLink(fileSystem, number: fileSystem.takeNumber()) { _ throws(Errno) in
                guard let task = Caller.task else { throw .noSuchFile }
                return .name(Text("\(task.process.identifier)/task/\(task.identifier)").bytes)
            })
        tree.link("mounts", to: "self/mounts")
    }
}

/// The topmost directory: fixed entries, then processes.
final class ProcRoot: PseudoDirectory, @unchecked Sendable {
    /// Positions from here on are process numbers.
    private static let firstProcess = 1024

    override func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        if let inode = find(name) { return inode }
        guard let identifier = ProcessNumber.parse(name), let process = ProcessTable.process(identifier)
        else {
            // A thread's number works too, though it is not listed.
            guard let identifier = ProcessNumber.parse(name), let thread = ProcessTable.task(identifier)
            else {
                throw .noSuchFile
            }
            return ProcessDirectory(thread.process, fileSystem)
        }
        return ProcessDirectory(process, fileSystem)
    }

    override func list(
        from position: Int, into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var position = position
        if position < Self.firstProcess {
            position = try super.list(from: position, into: &buffer, task)
            if position < entryCount { return position }
            position = Self.firstProcess
        }
        var next = Int32(truncatingIfNeeded: position - Self.firstProcess)
        while let process = ProcessTable.nextProcess(from: next) {
            let identifier = process.identifier
            let name = Text("\(identifier)").bytes
            let number = ProcessDirectory.number(of: process)
            let after = Self.firstProcess + Int(identifier) + 1
            guard buffer.add(name.span, number: number, kind: .directory, next: after + 2) else { break }
            next = identifier + 1
        }
        return Self.firstProcess + Int(next)
    }
}

enum ProcessNumber {
    /// A decimal number without leading zeros, as `/proc` names processes; nil for anything else.
    static func parse(_ name: Span<UInt8>) -> Int32? {
        guard name.count > 0, name.count < 10, name[0] != 48 else { return nil }
        var number: Int32 = 0
        for index in name.indices {
            guard name[index] >= 48, name[index] <= 57 else { return nil }
            number = number * 10 + Int32(name[index] - 48)
        }
        return number
    }
}
