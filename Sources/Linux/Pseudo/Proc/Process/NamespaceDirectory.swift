// /proc/PID/ns: the name spaces a process is in. There is one of each kind.

import Primitives

final class NamespaceDirectory: PseudoDirectory, @unchecked Sendable {
    private static let kinds: [(name: StaticString, kind: StaticString, number: UInt64)] = [
        ("cgroup", "cgroup", 4_026_531_835), ("ipc", "ipc", 4_026_531_839), ("mnt", "mnt", 4_026_531_841),
        ("net", "net", 4_026_531_840), ("pid", "pid", 4_026_531_836),
        ("pid_for_children", "pid", 4_026_531_836), ("time", "time", 4_026_531_834),
        ("time_for_children", "time", 4_026_531_834), ("user", "user", 4_026_531_837),
        ("uts", "uts", 4_026_531_838),
    ]

    init(_ subject: ProcessSubject, _ fileSystem: FileSystem, _ number: UInt64) {
        let owner = subject.owner
        super.init(
            fileSystem, number: number, parent: ProcessDirectory.number(of: subject.process),
            permissions: 0o511, userID: owner.userID, groupID: owner.groupID)
        for (name, kind, space) in Self.kinds {
            let link = PseudoLink(
                fileSystem, number: space, userID: owner.userID, groupID: owner.groupID
            ) { _ throws(Errno) in
                try subject.checkInspection()
                return .name(Text("\(kind):[\(space)]").bytes)
            }
            add(Text(stringLiteral: name).bytes, link)
        }
    }
}
