// /proc/PID/cmdline, comm, environ, auxv: what lies on the process's own stack.

import Machine
import Memory
import Primitives
import Tasks

enum ProcessStrings {
    /// Arguments, a zero behind each, as the program has them now (it may have overwritten them to rename itself).
    static func showCommandLine(
        _ subject: ProcessSubject, _ text: inout Text, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard let memory = subject.memory else { return }
        let image = subject.process.image.withLock { $0 }
        guard image.arguments.upperBound > image.arguments.lowerBound else {
            return text.add(image.commandLine)
        }
        let bytes = RemoteMemory.read(memory, image.arguments, limit: 65536, task)
        guard bytes.last != 0, !bytes.isEmpty else { return text.add(bytes) }
        // The program wrote over the last zero: the title may go on where the environment was.
        let title = bytes + RemoteMemory.read(memory, image.environment, limit: 4096, task)
        text.add(Array(title[..<(title.firstIndex(of: 0) ?? title.count)]))
    }

    static func showEnvironment(
        _ subject: ProcessSubject, _ text: inout Text, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard let memory = subject.memory else { return }
        let range = subject.process.image.withLock { $0.environment }
        text.add(RemoteMemory.read(memory, range, limit: 1 << 20, task))
    }

    /// The pairs behind the environment pointers at the start of the stack.
    static func showAuxiliaryVector(
        _ subject: ProcessSubject, _ text: inout Text, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard let memory = subject.memory else { return }
        let start = subject.process.image.withLock { $0.stackStart }
        let bytes = RemoteMemory.read(memory, start..<start &+ 65536, limit: 65536, task)
        func word(_ index: Int) -> UInt64? {
            guard (index + 1) * 8 <= bytes.count else { return nil }
            return (0..<8).reduce(0) { $0 | UInt64(bytes[index * 8 + $1]) << UInt64($1 * 8) }
        }
        // The number of arguments, their addresses and a zero, those of the environment and a zero.
        guard let count = word(0), count < 8192 else { return }
        var index = Int(count) + 2
        while let pointer = word(index), pointer != 0 { index += 1 }
        index += 1
        while let kind = word(index), word(index + 1) != nil {
            text.add(Array(bytes[index * 8..<index * 8 + 16]))
            if kind == 0 { return }
            index += 2
        }
    }

    /// Renames a thread of the caller's own process.
    static func rename(_ subject: ProcessSubject, _ bytes: Span<UInt8>) throws(Errno) {
        let target = try subject.living()
        guard let caller = Caller.task, caller.process === subject.process else { throw .invalid }
        var end = bytes.count
        while end > 0, bytes[end - 1] == 10 { end -= 1 }
        target.thread.setName(ThreadName(bytes.extracting(0..<end)))
    }
}

/// Reading another process's memory.
enum RemoteMemory {
    /// The bytes of a range, as far as they can be read, `limit` at most.
    static func read(
        _ memory: AddressSpace, _ range: Range<UInt>, limit: Int, _ task: borrowing TaskContext
    ) -> [UInt8] {
        var result: [UInt8] = []
        var address = range.lowerBound
        let end = min(range.upperBound, address &+ UInt(limit))
        while address < end {
            let pageEnd = (address & ~(pageSize - 1)) &+ pageSize
            let stop = min(end, pageEnd)
            do throws(Errno) {
                let frame = try memory.pin(address, for: .read, task)
                frame.append(to: &result, from: Int(address & (pageSize - 1)), count: Int(stop - address))
                Frames.release(frame)
            } catch {
                break
            }
            address = stop
        }
        return result
    }
}

extension Frame {
    /// Adds `count` of the frame's bytes, from `offset` on and inside the frame. The caller has a count of the frame.
    fileprivate func append(to bytes: inout [UInt8], from offset: Int, count: Int) {
        // Inside the frame, which is mapped for ever.
        let source = unsafe UnsafeRawBufferPointer(start: pointer + offset, count: count)
        unsafe bytes.append(contentsOf: source)
    }
}
