// fork, vfork, clone, clone3, exit, exit_group, set_tid_address.

import Primitives

extension SystemCalls {
    static func fork(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try clone(.fork, task)
    }

    static func vfork(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try clone(.vfork, task)
    }

    static func clone(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try clone(CloneRequest(arguments), task)
    }

    private static func clone(_ request: CloneRequest, _ task: borrowing TaskContext) throws(Errno) -> Int {
        let current = LinuxTask.current
        return Int(try current.clone(request, current.userRegisters, task))
    }

    static func clone3(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let size = arguments.a1.asInt
        guard size >= 0, size <= 4096 else { throw .argumentListTooLong }
        guard size >= CloneArguments.firstSize else { throw .invalid }
        var new = CloneArguments()
        try loadStructure(&new, from: arguments.a0, size: size, task)
        return try clone(new.request(), task)
    }

    static func exit(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        LinuxTask.current.beginEnd(Int32(arguments.a0.asUInt32 & 0xff) << 8)
        return 0
    }

    static func exit_group(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        LinuxTask.current.process.beginExit(Int32(arguments.a0.asUInt32 & 0xff) << 8)
        return 0
    }

    static func set_tid_address(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let current = LinuxTask.current
        current.clearThreadIdentifier = arguments.a0
        return Int(current.identifier)
    }
}
