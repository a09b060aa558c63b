// The table of files in /proc/PID, in the order in which they are listed.

import Primitives

enum ProcessEntries {
    static let all: [ProcessEntry] = directories + identity + memory + scheduling + others

    private static func text(
        _ name: StaticString, _ permissions: UInt32 = 0o444, isPrivate: Bool = false,
        _ show: @escaping @Sendable (ProcessSubject, inout Text, borrowing TaskContext) throws(Errno) -> Void
    ) -> ProcessEntry {
        ProcessEntry(
            name: name, kind: .regular, permissions: permissions, isPrivate: isPrivate, content: .text(show))
    }

    private static func link(
        _ name: StaticString,
        _ target: @escaping @Sendable (ProcessSubject, borrowing TaskContext) throws(Errno) -> LinkTarget
    ) -> ProcessEntry {
        ProcessEntry(
            name: name, kind: .symbolicLink, permissions: 0o777, isPrivate: true, content: .link(target))
    }

    private static let directories: [ProcessEntry] = [
        ProcessEntry(
            name: "task", kind: .directory, permissions: 0o555, isProcessOnly: true,
            content: .inode { subject, fileSystem, number in ThreadList(subject, fileSystem, number) }),
        ProcessEntry(
            name: "fd", kind: .directory, permissions: 0o500,
            content: .inode { subject, fileSystem, number in
                DescriptorDirectory(subject, fileSystem, number, describes: false)
            }),
        ProcessEntry(
            name: "fdinfo", kind: .directory, permissions: 0o555,
            content: .inode { subject, fileSystem, number in
                DescriptorDirectory(subject, fileSystem, number, describes: true)
            }),
        ProcessEntry(
            name: "ns", kind: .directory, permissions: 0o511,
            content: .inode { subject, fileSystem, number in
                NamespaceDirectory(subject, fileSystem, number)
            }),
    ]

    private static let identity: [ProcessEntry] = [
        text("environ", 0o400, isPrivate: true) { subject, text, task throws(Errno) in
            try ProcessStrings.showEnvironment(subject, &text, task)
        },
        text("auxv", 0o400, isPrivate: true) { subject, text, task throws(Errno) in
            try ProcessStrings.showAuxiliaryVector(subject, &text, task)
        },
        text("status") { subject, text, _ throws(Errno) in ProcessStatus.show(subject, &text) },
        ProcessEntry(
            name: "comm", kind: .regular, permissions: 0o644,
            content: .setting(
                show: { subject, text, _ throws(Errno) in text.add("\(subject.name)\n") },
                store: { subject, bytes, _ throws(Errno) in try ProcessStrings.rename(subject, bytes) })),
        text("cmdline") { subject, text, task throws(Errno) in
            try ProcessStrings.showCommandLine(subject, &text, task)
        },
        text("stat") { subject, text, _ throws(Errno) in ProcessStat.show(subject, &text) },
        text("limits") { subject, text, _ throws(Errno) in ProcessLimitsFile.show(subject, &text) },
        text("personality", 0o400, isPrivate: true) { subject, text, _ throws(Errno) in
            text.add("\(hex: try subject.living().personality, width: 8)\n")
        },
        link("exe") { subject, _ throws(Errno) in
            guard let path = subject.process.image.withLock({ $0.executable })?.path else {
                throw .noSuchFile
            }
            return .path(path)
        },
        link("cwd") { subject, _ throws(Errno) in .path(try subject.fileSystemContext().working) },
        link("root") { subject, _ throws(Errno) in .path(try subject.fileSystemContext().root) },
    ]

    private static let memory: [ProcessEntry] = [
        text("statm") { subject, text, _ throws(Errno) in ProcessMemoryFiles.showPages(subject, &text) },
        ProcessEntry(
            name: "maps", kind: .regular, permissions: 0o444, isPrivate: true,
            content: .stream { subject, cursor, text, _ throws(Errno) in
                ProcessMaps.showNext(subject, &cursor, &text, detailed: false)
            }),
        ProcessEntry(
            name: "smaps", kind: .regular, permissions: 0o444, isPrivate: true,
            content: .stream { subject, cursor, text, _ throws(Errno) in
                ProcessMaps.showNext(subject, &cursor, &text, detailed: true)
            }),
        ProcessEntry(
            name: "mem", kind: .regular, permissions: 0o600, isPrivate: true,
            content: .inode { subject, fileSystem, number in ProcessMemoryInode(subject, fileSystem, number) }
        ),
        text("oom_score") { subject, text, _ throws(Errno) in
            text.add("\(ProcessMemoryFiles.outOfMemoryScore(subject))\n")
        },
        ProcessEntry(
            name: "oom_score_adj", kind: .regular, permissions: 0o644,
            content: .setting(
                show: { subject, text, _ throws(Errno) in
                    text.add("\(ProcessMemoryFiles.adjustment(subject))\n")
                },
                store: { subject, bytes, _ throws(Errno) in
                    let value = try Input.number(bytes, in: -1000...1000)
                    try ProcessMemoryFiles.setAdjustment(subject, value)
                })),
        ProcessEntry(
            name: "oom_adj", kind: .regular, permissions: 0o644,
            content: .setting(
                show: { subject, text, _ throws(Errno) in
                    let value = ProcessMemoryFiles.adjustment(subject)
                    text.add("\(value == 1000 ? 15 : value * 17 / 1000)\n")
                },
                store: { subject, bytes, _ throws(Errno) in
                    let value = try Input.number(bytes, in: -17...15)
                    try ProcessMemoryFiles.setAdjustment(subject, value == 15 ? 1000 : value * 1000 / 17)
                })),
        text("coredump_filter") { _, text, _ throws(Errno) in text.add("00000033\n") },
    ]

    private static let scheduling: [ProcessEntry] = [
        text("wchan") { _, text, _ throws(Errno) in text.add("0") },
        text("schedstat") { subject, text, _ throws(Errno) in ProcessScheduling.showBrief(subject, &text) },
        text("sched") { subject, text, _ throws(Errno) in ProcessScheduling.show(subject, &text) },
        text("syscall", 0o400, isPrivate: true) { subject, text, _ throws(Errno) in
            try ProcessScheduling.showSystemCall(subject, &text)
        },
        text("timerslack_ns") { subject, text, _ throws(Errno) in
            text.add("\(try subject.living().timerSlack)\n")
        },
    ]

    private static let others: [ProcessEntry] = [
        text("mounts") { subject, text, _ throws(Errno) in
            ProcessMounts.showTable(try subject.fileSystemContext().root, &text)
        },
        text("mountinfo") { subject, text, _ throws(Errno) in
            ProcessMounts.showInformation(try subject.fileSystemContext().root, &text)
        },
        text("cgroup") { _, text, _ throws(Errno) in text.add("0::/\n") },
        text("io", 0o400, isPrivate: true) { _, text, _ throws(Errno) in
            // Reads and writes are not counted.
            text.add("rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n")
            text.add("cancelled_write_bytes: 0\n")
        },
        text("loginuid") { _, text, _ throws(Errno) in text.add("4294967295") },
        text("sessionid") { _, text, _ throws(Errno) in text.add("4294967295") },
        text("timens_offsets") { _, text, _ throws(Errno) in
            text.add("monotonic           0         0\nboottime            0         0\n")
        },
        text("children") { subject, text, _ throws(Errno) in
            for child in subject.process.childIdentifiers { text.add("\(child) ") }
        },
    ]
}

extension ProcessSubject {
    /// Where it looks names up from.
    func fileSystemContext() throws(Errno) -> FileSystemContext {
        let task = try living()
        return task.lock.withLock { _ in task.fileSystem }
    }

    /// Its descriptors.
    func descriptors() throws(Errno) -> DescriptorTable {
        let task = try living()
        return task.lock.withLock { _ in task.files }
    }
}

extension Process {
    /// Numbers of its children.
    fileprivate var childIdentifiers: [Int32] {
        var result: [Int32] = []
        ProcessTable.lock.withLockInterruptsOff { _, _ in
            children.forEach { child in
                result.append(child.identifier)
                return true
            }
        }
        return result
    }
}
