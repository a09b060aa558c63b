// write(2) to a terminal: through output processing into the device, waiting where it is full.

import Primitives
import Tasks
import Time

extension Terminal {
    /// Bytes copied from the program at a time.
    static let writeChunk = 512

    /// Becomes the one writer; others wait. Throws `tryAgain` if that may not wait.
    func beginWriting(
        nonBlocking: Bool, hangUps: UInt?, _ task: borrowing TaskContext
    ) throws(Errno) {
        let claim = { () throws(Errno) -> Void? in
            try self.state.withLock { state throws(Errno) in
                if state.hasHungUp(since: hangUps) { throw .inputOutput }
                guard !state.isWriting else { return nil }
                state.isWriting = true
                return ()
            }
        }
        if nonBlocking {
            guard try claim() != nil else { throw .tryAgain }
        } else {
            try output.wait(task, for: claim)
        }
    }

    func endWriting() {
        state.withLock { $0.isWriting = false }
        output.wakeAll()
    }

    /// Writes `bytes`; says how many were taken, fewer only when not waiting or when a signal came. Throws if
    /// none was. The caller is the one writer.
    func write(
        _ bytes: Span<UInt8>, nonBlocking: Bool, hangUps: UInt?, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var done = 0
        while done < bytes.count {
            done += try offer(bytes.extracting(done..<bytes.count), hangUps, hasDone: done > 0)
            if done == bytes.count { break }
            if nonBlocking {
                if done == 0 { throw .tryAgain }
                break
            }
            do throws(Errno) {
                try output.wait(task) { hasRoom(for: bytes[done], hangUps) }
            } catch {
                if done == 0 { throw error }
                break
            }
        }
        return done
    }

    /// There is something to do for a writer whose next byte is `byte`.
    private func hasRoom(for byte: UInt8, _ hangUps: UInt?) -> Bool {
        state.withLock { state in
            state.hasHungUp(since: hangUps) || device.room >= state.discipline.outputSize(byte)
        }
    }

    /// Hands over as many bytes as the device takes now.
    private func offer(_ bytes: Span<UInt8>, _ hangUps: UInt?, hasDone: Bool) throws(Errno) -> Int {
        try state.withLock { state throws(Errno) in
            if state.hasHungUp(since: hangUps) {
                if hasDone { return 0 }
                throw .inputOutput
            }
            // What was typed before is seen before.
            pumpEcho(&state)
            var room = device.room
            var done = 0
            while done < bytes.count, room >= state.discipline.outputSize(bytes[done]) {
                let expansion = state.discipline.process(bytes[done])
                for index in 0..<expansion.count { device.put(expansion[index]) }
                room -= expansion.count
                done += 1
            }
            if done > 0 { device.start() }
            return done
        }
    }

    /// Waits until everything has left (tcdrain(3)).
    func drain(hangUps: UInt?, _ task: borrowing TaskContext) throws(Errno) {
        try output.wait(task) {
            pendingOutput == 0 || state.withLock { $0.hasHungUp(since: hangUps) }
        }
        // The last bytes are in the chip: a few character times.
        while !device.isIdle, pendingOutput == 0 {
            try Thread.sleep(until: .after(1_000_000), task)
        }
    }
}
