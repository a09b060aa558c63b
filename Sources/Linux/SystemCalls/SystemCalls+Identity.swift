// Who am I: getpid, gettid, getppid, getuid and their kin.

import Primitives

extension SystemCalls {
    @inline(__always)
    static func getpid() -> Int { Int(LinuxTask.withCurrent { $0.process.identifier }) }

    @inline(__always)
    static func gettid() -> Int { Int(LinuxTask.withCurrent { $0.identifier }) }

    static func getppid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        Int(LinuxTask.current.process.parentIdentifier)
    }

    @inline(__always)
    static func getuid() -> Int { Int(LinuxTask.withCurrent { $0.credentials.userID }) }
    @inline(__always)
    static func geteuid() -> Int { Int(LinuxTask.withCurrent { $0.credentials.effectiveUserID }) }
    @inline(__always)
    static func getgid() -> Int { Int(LinuxTask.withCurrent { $0.credentials.groupID }) }
    @inline(__always)
    static func getegid() -> Int { Int(LinuxTask.withCurrent { $0.credentials.effectiveGroupID }) }

    static func getresuid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let credentials = LinuxTask.current.credentials
        try store(credentials.userID, to: arguments.a0, task)
        try store(credentials.effectiveUserID, to: arguments.a1, task)
        try store(credentials.savedUserID, to: arguments.a2, task)
        return 0
    }

    static func getresgid(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let credentials = LinuxTask.current.credentials
        try store(credentials.groupID, to: arguments.a0, task)
        try store(credentials.effectiveGroupID, to: arguments.a1, task)
        try store(credentials.savedGroupID, to: arguments.a2, task)
        return 0
    }

    static func getgroups(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let groups = LinuxTask.current.credentials.groups
        let room = Int(arguments.a0.asInt32)
        guard room >= 0 else { throw .invalid }
        if room == 0 { return groups.count }
        guard room >= groups.count else { throw .invalid }
        for index in groups.indices {
            try store(groups[index], to: arguments.a1 &+ UInt(bitPattern: index * 4), task)
        }
        return groups.count
    }

    static func setgroups(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard LinuxTask.current.credentials.has(.setGroupID) else { throw .notPermitted }
        let count = Int(arguments.a0.asInt32)
        guard count >= 0, count <= Credentials.maximumGroups else { throw .invalid }
        var groups: [UInt32] = []
        groups.reserveCapacity(count)
        for index in 0..<count {
            groups.append(try load(UInt32.self, from: arguments.a1 &+ UInt(bitPattern: index * 4), task))
        }
        LinuxTask.current.change { $0.setGroups(groups) }
        return 0
    }
}
