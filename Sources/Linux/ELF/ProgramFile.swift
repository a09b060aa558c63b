// A file about to be executed.

import Memory
import Primitives

struct ProgramFile {
    let file: File
    /// What was looked up, for AT_EXECFN and scripts.
    let name: [UInt8]
    let size: UInt64

    /// Finds and opens a program; the caller must have the right to execute it. ETXTBSY while somebody has it
    /// open for writing; as long as this file is open, nobody can.
    init(_ name: [UInt8], _ flags: LookupFlags, _ context: NameContext, _ task: borrowing TaskContext)
        throws(Errno)
    {
        let path = try PathLookup.find(name, flags, context, task)
        guard path.inode.kind != .symbolicLink else { throw .symbolicLinkLoop }
        guard path.inode.kind == .regular else { throw .accessDenied }
        try context.check(path.inode, .execute)
        guard !path.mount.flags.contains(.noExecution) else { throw .accessDenied }
        file = try path.inode.open(path, OpenFlags(rawValue: 0), task)
        try file.beginExecuting()
        self.name = name
        size = UInt64(max(path.inode.size, 0))
    }

    /// Up to `count` bytes at `offset`; fewer at the end of the file.
    func read(at offset: UInt64, count: Int, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        guard offset < size, count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        var position = Int(offset)
        var done = 0
        while done < count {
            let got = try readOnce(&bytes, done, &position, task)
            if got == 0 { break }
            done += got
        }
        if done < count { bytes.removeLast(count - done) }
        return bytes
    }

    private func readOnce(
        _ bytes: inout [UInt8], _ done: Int, _ position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var result: Result<Int, Errno> = .success(0)
        unsafe bytes.withUnsafeMutableBytes { memory in
            // The array stays where it is while the closure runs.
            var buffer = unsafe IOBuffer(kernel: UnsafeMutableRawBufferPointer(rebasing: memory[done...]))
            do throws(Errno) {
                result = .success(try file.read(into: &buffer, at: &position, task))
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// The header and program headers, checked. Throws `.notExecutable` for what is no ELF program.
    func image(_ head: [UInt8], _ task: borrowing TaskContext) throws(Errno) -> ElfImage {
        let header = try ElfHeader(head.span)
        let length = header.programHeaderCount * ElfHeader.programHeaderSize
        let table = try read(at: header.programHeaderOffset, count: length, task)
        guard table.count == length else { throw .notExecutable }
        return try ElfImage(header, table: table.span, fileSize: size)
    }

    /// The path of an image's interpreter.
    func interpreter(_ place: Range<UInt64>, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        var path = try read(at: place.lowerBound, count: place.count, task)
        // It must end with its zero, and nothing before may be one.
        guard path.count == place.count, path.popLast() == 0, !path.contains(0), !path.isEmpty else {
            throw .notExecutable
        }
        return path
    }
}
