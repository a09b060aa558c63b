// Waiting until one of several files is ready: what poll, select and their kin have in common.
//
// A first round asks each file without registering anywhere: mostly something is ready or nobody wants to wait. Only then
// is there a table, a round that registers, and sleep; after each wake-up all are asked again.

import Primitives
import Tasks
import Time

enum Polling {
    /// Asks until `round` finds something ready or the deadline has passed; returns what it found last. `round` counts
    /// what is ready, and registers with the table if it is given one. Nil for no deadline. Throws `restartSystem` for a
    /// signal.
    static func wait(
        until deadline: Deadline?, _ task: borrowing TaskContext, _ round: (PollTable?) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let ready = try round(nil)
        if ready > 0 { return ready }
        if let deadline, deadline.hasPassed { return 0 }
        let table = PollTable()
        var registering: PollTable? = table
        while true {
            let ready = try round(registering)
            registering = nil
            if ready > 0 { return ready }
            guard let deadline, deadline.time != .max else {
                try table.sleep(task)
                continue
            }
            // Once more after the end: what came in time is not lost.
            if try table.sleep(task, until: deadline) == .timedOut { return try round(nil) }
        }
    }

    /// What a descriptor is ready for, of what is asked for; POLLNVAL if it is none.
    @inline(__always)
    static func events(
        _ descriptor: Int32, _ wanted: PollEvents, _ files: DescriptorTable, _ table: PollTable?
    ) -> PollEvents {
        guard let file = try? files.file(descriptor), !file.isPathOnly else { return .invalid }
        return file.poll(table).intersection(wanted.union(.always))
    }
}
