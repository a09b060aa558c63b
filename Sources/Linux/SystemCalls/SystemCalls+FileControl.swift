// fcntl(2), flock(2), ioctl(2): what is done to descriptors and open files.

import Memory
import Primitives

extension SystemCalls {
    /// Commands of fcntl(2) (asm-generic/fcntl.h, linux/fcntl.h).
    private enum Command {
        static let duplicate: UInt32 = 0
        static let getDescriptorFlags: UInt32 = 1
        static let setDescriptorFlags: UInt32 = 2
        static let getStatusFlags: UInt32 = 3
        static let setStatusFlags: UInt32 = 4
        static let getLock: UInt32 = 5
        static let setLock: UInt32 = 6
        static let setLockWaiting: UInt32 = 7
        static let setOwner: UInt32 = 8
        static let getOwner: UInt32 = 9
        static let getFileLock: UInt32 = 36
        static let setFileLock: UInt32 = 37
        static let setFileLockWaiting: UInt32 = 38
        static let duplicateCloseOnExec: UInt32 = 1030
        static let setPipeSize: UInt32 = 1031
        static let getPipeSize: UInt32 = 1032
        static let addSeals: UInt32 = 1033
        static let getSeals: UInt32 = 1034
    }

    static func fcntl(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let files = LinuxTask.current.files
        let descriptor = arguments.a0.asInt32
        let command = arguments.a1.asUInt32
        let argument = arguments.a2
        let file = try files.file(descriptor)
        switch command {
        case Command.duplicate: return try duplicate(file, argument, files, closeOnExec: false)
        case Command.duplicateCloseOnExec: return try duplicate(file, argument, files, closeOnExec: true)
        case Command.getDescriptorFlags: return try files.closesOnExec(descriptor) ? 1 : 0
        case Command.setDescriptorFlags:
            try files.setClosesOnExec(descriptor, argument & 1 != 0)
            return 0
        case Command.getStatusFlags: return Int(file.flags.rawValue)
        default:
            guard !file.isPathOnly else { throw .badFileDescriptor }
            return try fcntl(file, files, command, argument, task)
        }
    }

    private static func fcntl(
        _ file: File, _ files: DescriptorTable, _ command: UInt32, _ argument: UInt,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        switch command {
        case Command.setStatusFlags: return try setStatusFlags(file, OpenFlags(rawValue: argument.asUInt32))
        case Command.getLock: return try getLock(file, .process(files), argument, task)
        case Command.setLock: return try setLock(file, .process(files), argument, waits: false, task)
        case Command.setLockWaiting: return try setLock(file, .process(files), argument, waits: true, task)
        case Command.getFileLock: return try getLock(file, .file(file), argument, task)
        case Command.setFileLock: return try setLock(file, .file(file), argument, waits: false, task)
        case Command.setFileLockWaiting: return try setLock(file, .file(file), argument, waits: true, task)
        case Command.setOwner:
            file.signalOwner = argument.asInt32
            return 0
        case Command.getOwner: return Int(file.signalOwner)
        case Command.setPipeSize:
            guard let pipe = (file.pipeBehind) else { throw .badFileDescriptor }
            return try pipe.setSize(argument.asInt32 < 0 ? 0 : Int(argument.asInt32), task)
        case Command.getPipeSize:
            guard let pipe = file.pipeBehind else { throw .badFileDescriptor }
            return pipe.size
        case Command.addSeals: return try file.inode.addSeals(argument.asUInt32, isWritable: file.isWritable)
        case Command.getSeals: return try file.inode.seals()
        default: throw .invalid
        }
    }

    private static func duplicate(
        _ file: File, _ lowest: UInt, _ files: DescriptorTable, closeOnExec: Bool
    ) throws(Errno) -> Int {
        let limit = descriptorLimit
        guard lowest.asInt32 >= 0, Int(lowest.asInt32) < limit else { throw .invalid }
        return Int(try files.insert(file, from: lowest.asInt32, limit: limit, closeOnExec: closeOnExec))
    }

    private static func setStatusFlags(_ file: File, _ flags: OpenFlags) throws(Errno) -> Int {
        if flags.contains(.noAccessTime), !file.flags.contains(.noAccessTime),
            !Permission.owns(file.inode, LinuxTask.current.credentials)
        {
            throw .notPermitted
        }
        let wanted = flags.intersection(.settable)
        file.changeFlags(set: wanted, clear: OpenFlags.settable.subtracting(wanted))
        return 0
    }

    // MARK: Locks

    /// `struct flock`.
    private struct LockRequest: BitwiseCopyable {
        var type: Int16
        var origin: Int16
        var padding: Int32 = 0
        var start: Int
        var length: Int
        var process: Int32
        var padding2: Int32 = 0

        static let read: Int16 = 0
        static let write: Int16 = 1
        static let unlock: Int16 = 2
    }

    private static func range(
        _ request: LockRequest, _ file: File, _ owner: LockOwner
    ) throws(Errno) -> RangeLock {
        let base: Int
        switch request.origin {
        case 0: base = 0
        case 1: base = file.position
        case 2: base = file.inode.size
        default: throw .invalid
        }
        let (start, overflow) = base.addingReportingOverflow(request.start)
        guard !overflow else { throw .overflow }
        var first = start
        var last = Int.max
        if request.length > 0 {
            let (end, overflow) = start.addingReportingOverflow(request.length - 1)
            guard !overflow else { throw .overflow }
            last = end
        } else if request.length < 0 {
            // The range lies before the start.
            last = start &- 1
            let (before, overflow) = start.addingReportingOverflow(request.length)
            guard !overflow else { throw .invalid }
            first = before
        }
        guard first >= 0 else { throw .invalid }
        var process: Int32 = -1
        if case .process = owner { process = LinuxTask.current.process.identifier }
        return RangeLock(
            first: first, last: last, isExclusive: request.type == LockRequest.write, owner: owner.identity,
            process: process)
    }

    private static func getLock(
        _ file: File, _ owner: LockOwner, _ address: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let pointer = UserPointer<LockRequest>(address)
        var request = try pointer.load(task)
        guard request.type == LockRequest.read || request.type == LockRequest.write else { throw .invalid }
        if case .file = owner, request.process != 0 { throw .invalid }
        let wanted = try range(request, file, owner)
        if file.inode.mayHaveLocks, let found = file.inode.locks.conflict(with: wanted) {
            request.type = found.isExclusive ? LockRequest.write : LockRequest.read
            request.origin = 0
            request.start = found.first
            request.length = found.last == .max ? 0 : found.last - found.first + 1
            request.process = found.process
        } else {
            request.type = LockRequest.unlock
        }
        try pointer.store(request, task)
        return 0
    }

    private static func setLock(
        _ file: File, _ owner: LockOwner, _ address: UInt, waits: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let request = try UserPointer<LockRequest>(address).load(task)
        if case .file = owner, request.process != 0 { throw .invalid }
        let wanted = try range(request, file, owner)
        switch request.type {
        case LockRequest.unlock:
            if file.inode.mayHaveLocks { try file.inode.locks.unlock(wanted) }
            return 0
        case LockRequest.read: guard file.isReadable else { throw .badFileDescriptor }
        case LockRequest.write: guard file.isWritable else { throw .badFileDescriptor }
        default: throw .invalid
        }
        try file.inode.locks.lock(wanted, waits: waits, task)
        return 0
    }

    static func flock(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try file(arguments.a0)
        let command = arguments.a1.asUInt32
        let owner = LockOwner.file(file).identity
        switch command & ~4 {
        case 1, 2:
            try file.inode.locks.lockWhole(
                owner, isExclusive: command & 2 != 0, waits: command & 4 == 0, task)
        case 8: if file.inode.mayHaveLocks { file.inode.locks.unlockWhole(owner) }
        default: throw .invalid
        }
        return 0
    }

    // MARK: ioctl

    static func ioctl(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let files = LinuxTask.current.files
        let file = try file(arguments.a0)
        let command = arguments.a1.asUInt32
        let argument = arguments.a2
        switch command {
        case File.FileControl.closeOnExec: try files.setClosesOnExec(arguments.a0.asInt32, true)
        case File.FileControl.noCloseOnExec: try files.setClosesOnExec(arguments.a0.asInt32, false)
        case File.FileControl.nonBlocking: try setFlag(file, .nonBlocking, argument, task)
        case File.FileControl.asynchronous: try setFlag(file, .asynchronous, argument, task)
        case File.FileControl.quotaSize where file.inode.kind == .regular || file.inode.kind == .directory:
            try UserPointer<Int>(argument).store(file.inode.size, task)
        case File.FileControl.bytesToRead where file.inode.kind == .regular:
            let left = Int32(truncatingIfNeeded: file.inode.size &- file.position)
            try UserPointer<Int32>(argument).store(left, task)
        default: return try file.ioctl(command, argument, task)
        }
        return 0
    }

    private static func setFlag(
        _ file: File, _ flag: OpenFlags, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) {
        let isOn = try UserPointer<Int32>(argument).load(task) != 0
        file.changeFlags(set: isOn ? flag : [], clear: isOn ? [] : flag)
    }
}
