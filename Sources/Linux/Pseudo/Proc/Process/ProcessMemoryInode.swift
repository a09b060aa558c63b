// /proc/PID/mem: the process's memory, at file offsets that are its addresses.

import Machine
import Memory
import Primitives

final class ProcessMemoryInode: PseudoInode, @unchecked Sendable {
    private let subject: ProcessSubject

    init(_ subject: ProcessSubject, _ fileSystem: FileSystem, _ number: UInt64) {
        self.subject = subject
        let owner = subject.owner
        super.init(
            fileSystem, number: number, mode: FileMode(.regular, 0o600), userID: owner.userID,
            groupID: owner.groupID)
    }

    override func open(
        _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        try subject.checkInspection()
        guard let memory = subject.memory else { throw .noSuchProcess }
        return ProcessMemoryFile(memory, self, path, flags)
    }
}

final class ProcessMemoryFile: File, @unchecked Sendable {
    /// Of the program that ran when the file was opened.
    private let memory: AddressSpace

    init(_ memory: AddressSpace, _ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        self.memory = memory
        super.init(inode, path, flags)
    }

    /// Where in its page an address lies, and how many bytes of `count` the page still has.
    private static func place(_ address: UInt, _ count: Int) -> (offset: Int, count: Int) {
        let offset = Int(address & (pageSize - 1))
        return (offset, min(count, Int(pageSize) - offset))
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try transfer(&buffer, &position, for: .read, task) {
            frame, offset, count, buffer, task throws(Errno) in
            // Inside the frame, of which `transfer` has a count.
            try unsafe buffer.put(
                from: UnsafeRawBufferPointer(start: frame.pointer + offset, count: count), task)
        }
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try transfer(&buffer, &position, for: .write, task) {
            frame, offset, count, buffer, task throws(Errno) in
            // Inside the frame, of which `transfer` has a count.
            try unsafe buffer.take(
                to: UnsafeMutableRawBufferPointer(start: frame.pointer + offset, count: count), task)
        }
    }

    private func transfer(
        _ buffer: inout IOBuffer, _ position: inout Int, for access: FaultAccess,
        _ task: borrowing TaskContext,
        _ copy: (Frame, Int, Int, inout IOBuffer, borrowing TaskContext) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var done = 0
        while buffer.remaining > 0 {
            let address = UInt(bitPattern: position)
            let (offset, count) = Self.place(address, buffer.remaining)
            do throws(Errno) {
                let frame = try memory.pin(address, for: access, task)
                defer { Frames.release(frame) }
                let copied = try copy(frame, offset, count, &buffer, task)
                position &+= copied
                done += copied
                if copied < count { break }
            } catch {
                if done == 0 { throw error == .badAddress ? .inputOutput : error }
                break
            }
        }
        return done
    }
}
