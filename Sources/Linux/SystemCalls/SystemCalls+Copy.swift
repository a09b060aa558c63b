// Moving bytes from one file to another within the kernel: sendfile, copy_file_range; and files that are only memory.

import Memory
import Primitives

extension SystemCalls {
    /// What goes through the kernel's memory at a time.
    private static let copyPiece = 16384

    static func sendfile(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let files = LinuxTask.current.files
        let from = try files.file(arguments.a1.asInt32)
        guard from.isReadable else { throw .badFileDescriptor }
        let to = try files.file(arguments.a0.asInt32)
        guard to.isWritable else { throw .badFileDescriptor }
        guard from.inode.kind == .regular || from.inode.kind == .blockDevice, from.isSeekable else {
            throw .invalid
        }
        guard !to.flags.contains(.append), arguments.a3.asInt >= 0 else { throw .invalid }
        let count = min(arguments.a3.asInt, 0x7fff_f000)
        guard arguments.a2 != 0 else {
            var at = from.position
            let done = try copy(from, &at, to, nil, count, task)
            from.position = at
            return done
        }
        let pointer = UserPointer<Int>(arguments.a2)
        var at = try pointer.load(task)
        guard at >= 0 else { throw .invalid }
        let done = try copy(from, &at, to, nil, count, task)
        try pointer.store(at, task)
        return done
    }

    static func copy_file_range(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a5.asUInt32 == 0 else { throw .invalid }
        let from = try file(arguments.a0)
        let to = try file(arguments.a2)
        guard from.isReadable, to.isWritable, !to.flags.contains(.append) else { throw .badFileDescriptor }
        for kind in [from.inode.kind, to.inode.kind] {
            guard kind != .directory else { throw .isDirectory }
            guard kind == .regular else { throw .invalid }
        }
        var source = try offset(arguments.a1, from, task)
        var target = try offset(arguments.a3, to, task)
        guard source >= 0, target >= 0, arguments.a4.asInt >= 0 else { throw .invalid }
        let count = min(arguments.a4.asInt, 0x7fff_f000)
        guard source <= Int.max - count, target <= Int.max - count else { throw .overflow }
        if from.inode === to.inode, source < target + count, target < source + count { throw .invalid }
        let done = try copy(from, &source, to, target, count, task)
        target += done
        try setOffset(arguments.a1, from, source, task)
        try setOffset(arguments.a3, to, target, task)
        return done
    }

    private static func offset(_ address: UInt, _ file: File, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        address == 0 ? file.position : try UserPointer<Int>(address).load(task)
    }

    private static func setOffset(
        _ address: UInt, _ file: File, _ offset: Int, _ task: borrowing TaskContext
    ) throws(Errno) {
        if address == 0 { file.position = offset } else { try UserPointer<Int>(address).store(offset, task) }
    }

    /// Copies from a position on, to a position or (nil) to where the file is. Returns how many bytes; `position` moves on
    /// by as many.
    private static func copy(
        _ from: File, _ position: inout Int, _ to: File, _ target: Int?, _ count: Int,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var scratch = [UInt8](repeating: 0, count: min(copyPiece, count))
        var done = 0
        while done < count {
            let wanted = min(scratch.count, count - done)
            var at = position
            let got = try transfer(&scratch, wanted, task) { (buffer, _) throws(Errno) in
                try from.read(into: &buffer, at: &at, task)
            }
            if got == 0 { break }
            let put: Int
            do throws(Errno) {
                put = try transfer(&scratch, got, task) { (buffer, _) throws(Errno) in
                    guard var place = target.map({ $0 + done }) else {
                        return try to.writeOn(from: &buffer, task)
                    }
                    return try to.write(from: &buffer, at: &place, task)
                }
            } catch {
                guard done > 0 else { throw error }
                break
            }
            position += put
            done += put
            // The reader of a pipe may be slow; what was read but not written is read again.
            if put < got { break }
        }
        return done
    }

    /// Runs `body` with a buffer of the first `count` bytes of `scratch`.
    private static func transfer(
        _ scratch: inout [UInt8], _ count: Int, _ task: borrowing TaskContext,
        _ body: (inout IOBuffer, borrowing TaskContext) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var span = scratch.mutableSpan
        return try unsafe span.withUnsafeMutableBytes { (memory) throws(Errno) -> Int in
            // The array stays where it is while the closure runs.
            var buffer = unsafe IOBuffer(kernel: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
            return try body(&buffer, task)
        }
    }

    // MARK: memfd

    static func memfd_create(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let flags = arguments.a1.asUInt32
        // MFD_CLOEXEC, MFD_ALLOW_SEALING; there are no huge pages.
        guard flags & ~3 == 0 else { throw .invalid }
        // The limit is 249 bytes with `memfd:` before them.
        let name = try UserMemory.string(at: arguments.a0, limit: 250, tooLong: .invalid, task)
        let current = LinuxTask.current
        let owner = FileOwner(
            userID: current.credentials.fileUserID, groupID: current.credentials.fileGroupID)
        let file = MemoryFileSystem.makeFile(named: name, allowsSealing: flags & 2 != 0, owner: owner)
        return Int(try current.files.insert(file, limit: descriptorLimit, closeOnExec: flags & 1 != 0))
    }
}
