// execve and execveat.

import Memory
import Primitives
import Tasks

extension SystemCalls {
    static func execve(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try execute(
            arguments.a0, arguments.a1, arguments.a2, directory: PathArgument.workingDirectory, flags: 0, task
        )
    }

    static func execveat(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        try execute(
            arguments.a1, arguments.a2, arguments.a3, directory: arguments.a0.asInt32,
            flags: arguments.a4.asUInt32, task)
    }

    private static func execute(
        _ name: UInt, _ arguments: UInt, _ environment: UInt, directory: Int32, flags: UInt32,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let noFollow: UInt32 = 0x100  // AT_SYMLINK_NOFOLLOW
        let emptyPath: UInt32 = 0x1000  // AT_EMPTY_PATH
        guard flags & ~(noFollow | emptyPath) == 0 else { throw .invalid }
        let current = LinuxTask.current
        let text = try UserMemory.string(at: name, limit: 4096, task)
        var request = ExecutionRequest(
            name: text, context: try NameContext(current, directory: directory, name: text))
        request.flags = flags & noFollow != 0 ? [] : .follow
        if flags & emptyPath != 0 { request.flags.insert(.allowEmpty) }
        request.stringLimit = stringLimit(current.process)
        try collect(&request.arguments, from: arguments, request.stringLimit, task)
        try collect(&request.environment, from: environment, request.stringLimit, task)
        // A program is always given a name.
        if request.arguments.stringCount == 0 {
            try request.arguments.append([0], limit: request.stringLimit)
        }
        let pointers = UInt(request.arguments.stringCount + request.environment.stringCount) * 8
        guard request.arguments.count + request.environment.count + pointers <= request.stringLimit else {
            throw .argumentListTooLong
        }
        try current.execute(request, task)
        return 0
    }

    /// A quarter of the stack's limit, within 128 KiB and 6 MiB.
    private static func stringLimit(_ process: Process) -> UInt {
        UInt(clamping: min(max(process.limit(.stack) / 4, 131_072), 6 << 20))
    }

    private static func collect(
        _ buffer: inout ArgumentBuffer, from vector: UInt, _ limit: UInt, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard vector != 0 else { return }
        var place = vector
        while true {
            let address = try load(UInt.self, from: place, task)
            if address == 0 { return }
            try buffer.append(stringAt: address, limit: limit, task)
            guard UInt(buffer.stringCount) * 8 <= limit else { throw .argumentListTooLong }
            if LinuxTask.current.thread.flags.contains(.fatalSignalPending) { throw .restartNoInterrupt }
            place &+= 8
        }
    }
}
