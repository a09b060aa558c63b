// An open terminal.

import Primitives
import Tasks

final class TerminalFile: File, @unchecked Sendable {
    let terminal: Terminal
    /// The terminal's count of hang-ups at opening; nil for `/dev/console`, which outlives them.
    let hangUps: UInt?

    /// Counts as one more open file of `terminal`. `isConsole`: opened by the name `/dev/console`.
    init(
        _ terminal: Terminal, _ inode: Inode, _ path: Path?, _ flags: OpenFlags, isConsole: Bool
    ) throws(Errno) {
        self.terminal = terminal
        hangUps = try terminal.open(isConsole: isConsole)
        super.init(inode, path, flags)
    }

    deinit { terminal.close() }

    override var isSeekable: Bool { false }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard buffer.remaining > 0 else { return 0 }
        let bytes = try terminal.read(
            limit: buffer.remaining, nonBlocking: isNonBlocking, hangUps: hangUps, task)
        return bytes.isEmpty ? 0 : try buffer.put(bytes.span, task)
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        if terminal.settings.local.contains(.stopBackgroundOutput) {
            try terminal.checkForeground(.terminalOutput)
        }
        try terminal.beginWriting(nonBlocking: isNonBlocking, hangUps: hangUps, task)
        defer { terminal.endWriting() }
        var done = 0
        while buffer.remaining > 0 {
            do throws(Errno) {
                let (wanted, taken) = try writeChunk(&buffer, task)
                done += taken
                if taken < wanted { break }
            } catch {
                if done == 0 { throw error }
                break
            }
        }
        return done
    }

    /// Copies a chunk from the program and writes it; a chunk cut short ends the whole write.
    private func writeChunk(
        _ buffer: inout IOBuffer, _ task: borrowing TaskContext
    ) throws(Errno) -> (wanted: Int, taken: Int) {
        let wanted = min(buffer.remaining, Terminal.writeChunk)
        var chunk = [UInt8](repeating: 0, count: wanted)
        var span = chunk.mutableSpan
        let count = try buffer.take(into: &span, task)
        let bytes = chunk.span.extracting(0..<count)
        let taken = try terminal.write(bytes, nonBlocking: isNonBlocking, hangUps: hangUps, task)
        return (wanted, taken)
    }

    override func ioctl(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int { try request(command, argument, task) }

    override func poll(_ table: PollTable?) -> PollEvents {
        if let table {
            table.register(terminal.input, of: terminal)
            table.register(terminal.output, of: terminal)
        }
        return terminal.state.withLock { state in
            var events: PollEvents = []
            if state.hasHungUp(since: hangUps) {
                return [.hangUp, .input, .normalInput, .output, .normalOutput, .error]
            }
            if state.discipline.isPollReadable { events.formUnion(.readable) }
            if terminal.device.room > 0, !state.isWriting { events.formUnion(.writable) }
            return events
        }
    }
}

extension Terminal {
    /// One more open file; its count of hang-ups.
    fileprivate func open(isConsole: Bool) throws(Errno) -> UInt? {
        let isPrivileged = Caller.credentials.has(.administration)
        let (isFirst, hangUps) = try state.withLock { state throws(Errno) in
            if state.isExclusive, !isPrivileged { throw .busy }
            state.openCount += 1
            return (state.openCount == 1, state.hangUps)
        }
        if isFirst { device.opened() }
        return isConsole ? nil : hangUps
    }

    fileprivate func close() {
        let isLast = state.withLock { state in
            state.openCount -= 1
            if state.openCount == 0 { state.isExclusive = false }
            return state.openCount == 0
        }
        if isLast { device.closed(settings) }
    }
}
