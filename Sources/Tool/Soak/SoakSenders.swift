// What the host puts into the machine during a soak: keys, movements and bytes, never more than the emulated devices have
// room for before the guest has said that it got them.
import Foundation

struct SoakSenders: Sendable {
    let session: ConsoleSession
    let control: MachineControl
    let serial: UnixSocket
    /// Where on the console the guest began.
    let start: Int
    let end: ContinuousClock.Instant

    /// As Tests/Soak/soak.c expects them.
    private static let keys = ["a", "b", "c", "d", "e", "f", "g", "h"]
    private static let patience = 30.0
    private static let window = 256

    private var isOver: Bool { ContinuousClock.now >= end }

    /// Presses and releases keys, four a time; returns how many events that were.
    func sendKeys() async throws -> Int {
        var (count, place) = (0, start)
        while !isOver {
            let events = (0..<8).map { index in
                let key = Self.keys[(count + index) / 2 % 8]
                return "{\"type\":\"key\",\"data\":{\"down\":\(index % 2 == 0),"
                    + "\"key\":{\"type\":\"qcode\",\"data\":\"\(key)\"}}}"
            }
            try await control.input(events)
            count += 8
            place = try await session.expect("k\(count)\r", from: place, within: Self.patience)
            try await Task.sleep(for: .milliseconds(5))
        }
        return count
    }

    /// Moves the mouse; returns how often.
    func sendMoves() async throws -> Int {
        var (count, place) = (0, start)
        while !isOver {
            try await control.input([
                "{\"type\":\"rel\",\"data\":{\"axis\":\"x\",\"value\":\(1 + count % 100)}}"
            ])
            count += 1
            place = try await session.expect("m\(count)\r", from: place, within: Self.patience)
            try await Task.sleep(for: .milliseconds(5))
        }
        return count
    }

    /// Sends bytes that do not repeat and expects each of them back; returns how many.
    func exchangeBytes() async throws -> Int {
        var (count, state) = (0, UInt64(0x1234_5678_9abc_def1))
        while !isOver {
            let piece = (0..<Self.window).map { _ -> UInt8 in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state >> 32)
            }
            try await serial.send(piece)
            var back: [UInt8] = []
            while back.count < piece.count { back += try await serial.receive(within: Self.patience) }
            guard back == piece else {
                throw ToolError("the serial line gave other bytes back, near \(count)")
            }
            count += piece.count
            try await Task.sleep(for: .milliseconds(5))
        }
        return count
    }
}
