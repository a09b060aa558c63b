// read(2) from a terminal: a line in canonical mode, else by VMIN and VTIME (termios(3)).

import Primitives
import Tasks
import Time

extension Terminal {
    /// Most bytes one read takes.
    static let readLimit = 4096

    /// How long a read in raw mode waits.
    private struct Patience {
        /// Bytes to wait for, 0 to take what is there.
        var minimum: Int
        /// Nanoseconds, 0 for no limit: for the first byte if `minimum` is 0, else from byte to byte.
        var timeout: UInt64

        init(_ settings: Termios, limit: Int) {
            minimum = min(Int(settings[.minimum]), limit)
            timeout = UInt64(settings[.time]) * 100_000_000
            if settings.local.contains(.canonical) {
                minimum = 1
                timeout = 0
            }
        }
    }

    /// What an attempt to read found.
    private enum Found {
        case bytes([UInt8])
        case hungUp
        case background
    }

    /// Waits for input and takes it; nothing at the end of a file and after a hang-up. `hangUps` is the
    /// count when the file was opened, nil if it outlives them.
    func read(
        limit: Int, nonBlocking: Bool, hangUps: UInt?, _ task: borrowing TaskContext
    ) throws(Errno) -> [UInt8] {
        let limit = min(limit, Self.readLimit)
        while true {
            try checkForeground(.terminalInput)
            let found = try waitForInput(limit, nonBlocking, hangUps, task)
            switch found {
            case .bytes(let bytes):
                unthrottleIfPossible()
                return bytes
            case .hungUp: return []
            case .background: continue
            }
        }
    }

    private func waitForInput(
        _ limit: Int, _ nonBlocking: Bool, _ hangUps: UInt?, _ task: borrowing TaskContext
    ) throws(Errno) -> Found {
        let patience = state.withLock { Patience($0.discipline.termios, limit: limit) }
        if patience.minimum == 0 {
            return try waitForFirst(limit, patience, nonBlocking, hangUps, task)
        }
        if let found = attempt(limit, patience.minimum, hangUps) { return found }
        if patience.timeout != 0, patience.minimum > 1 {
            return try waitFromByteToByte(limit, patience, nonBlocking, hangUps, task)
        }
        if nonBlocking { return try takeWhatIsThere(limit, hangUps) }
        return try input.wait(task) { () throws(Errno) -> Found? in
            attempt(limit, self.minimum(limit), hangUps)
        }
    }

    /// Settings may change while a reader sleeps.
    private func minimum(_ limit: Int) -> Int {
        state.withLock { max(Patience($0.discipline.termios, limit: limit).minimum, 1) }
    }

    /// VMIN 0: at most VTIME for the first byte.
    private func waitForFirst(
        _ limit: Int, _ patience: Patience, _ nonBlocking: Bool, _ hangUps: UInt?,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Found {
        if let found = attempt(limit, 1, hangUps) { return found }
        if patience.timeout == 0 { return .bytes([]) }
        if nonBlocking { throw .tryAgain }
        let deadline = Deadline.after(patience.timeout)
        let found = try input.wait(task, deadline: deadline) { () throws(Errno) -> Found? in
            attempt(limit, 1, hangUps)
        }
        return found ?? .bytes([])
    }

    /// VMIN bytes, but no longer than VTIME between two of them once the first has come.
    private func waitFromByteToByte(
        _ limit: Int, _ patience: Patience, _ nonBlocking: Bool, _ hangUps: UInt?,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Found {
        if nonBlocking { return try takeWhatIsThere(limit, hangUps) }
        try input.wait(task) { hasEnded(hangUps) || available > 0 }
        while true {
            let before = available
            if before >= patience.minimum { break }
            let grew = try input.wait(task, deadline: .after(patience.timeout)) {
                () throws(Errno) -> Bool? in hasEnded(hangUps) || available > before ? true : nil
            }
            if grew == nil || hasEnded(hangUps) { break }
        }
        return attempt(limit, 1, hangUps) ?? .bytes([])
    }

    private func takeWhatIsThere(_ limit: Int, _ hangUps: UInt?) throws(Errno) -> Found {
        guard let found = attempt(limit, 1, hangUps) else { throw .tryAgain }
        return found
    }

    private var available: Int { state.withLock { $0.discipline.readableCount } }

    private func hasEnded(_ hangUps: UInt?) -> Bool {
        state.withLock { $0.hasHungUp(since: hangUps) }
    }

    /// Takes bytes if there are at least `minimum` (in canonical mode: a line).
    private func attempt(_ limit: Int, _ minimum: Int, _ hangUps: UInt?) -> Found? {
        if mustStop(.terminalInput) { return .background }
        return state.withLock { state in
            if state.hasHungUp(since: hangUps) { return .hungUp }
            guard state.discipline.isReadable(minimum: minimum) else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(min(limit, state.discipline.queue.count))
            _ = state.discipline.take(limit: limit) { bytes.append($0) }
            return .bytes(bytes)
        }
    }
}

extension Terminal.State {
    /// A file that was opened at count `hangUps` is dead; nil for one that outlives hang-ups.
    func hasHungUp(since hangUps: UInt?) -> Bool {
        guard let hangUps else { return false }
        return hangUps != self.hangUps
    }
}
