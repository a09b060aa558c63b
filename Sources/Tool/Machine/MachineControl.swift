// QEMU's machine protocol: commands to a running machine and their answers, and what its devices have counted.
import Foundation

/// The control socket of a running machine. Commands go one after the other.
actor MachineControl {
    private let socket: UnixSocket
    private var pending: [UInt8] = []

    /// Arguments that make QEMU listen at `path`.
    static func arguments(_ path: String) -> [String] { ["-qmp", "unix:\(path),server=on,wait=off"] }

    init(path: String) async throws {
        socket = try await UnixSocket(path: path, within: 20)
        _ = try await line()
        try await run("qmp_capabilities")
    }

    /// Runs a command; returns what it returns.
    @discardableResult
    func run(_ command: String, _ arguments: String = "{}") async throws -> Answer {
        try await socket.send(
            Array("{\"execute\":\"\(command)\",\"arguments\":\(arguments)}\n".utf8))
        while true {
            let answer = try JSONSerialization.jsonObject(with: Data(try await line())) as? [String: Any]
            if let error = answer?["error"] { throw ToolError("QEMU refuses \(command): \(error)") }
            if let result = answer?["return"] {
                return Answer(json: try JSONSerialization.data(withJSONObject: [result]))
            }
        }
    }

    /// What a command returned, as JSON in an array of one.
    struct Answer: Sendable {
        let json: Data
        var value: Any? { (try? JSONSerialization.jsonObject(with: json) as? [Any])?.first }
    }

    /// How often each input of the I/O APIC rose.
    func lineCounts() async throws -> [Int: Int] {
        let text = try await run("human-monitor-command", "{\"command-line\":\"info irq\"}").value as? String
        var counts: [Int: Int] = [:]
        var isIOAPIC = false
        for line in (text ?? "").split(whereSeparator: \.isNewline) {
            if line.hasPrefix("IRQ statistics") {
                isIOAPIC = line.contains("ioapic")
            } else if isIOAPIC {
                let parts = line.split(separator: ":").map { Int($0.trimmingCharacters(in: .whitespaces)) }
                if parts.count == 2, let number = parts[0], let count = parts[1] { counts[number] = count }
            }
        }
        return counts
    }

    /// Reads that the machine's disks have done.
    func diskReads() async throws -> Int {
        let devices = try await run("query-blockstats").value as? [[String: Any]]
        return (devices ?? []).reduce(0) { sum, device in
            let stats = device["stats"] as? [String: Any]
            return sum + (stats?["rd_operations"] as? Int ?? 0)
        }
    }

    /// Puts events into the machine's input devices: JSON objects of QEMU's type InputEvent.
    func input(_ events: [String]) async throws {
        try await run("input-send-event", "{\"events\":[\(events.joined(separator: ","))]}")
    }

    private func line() async throws -> [UInt8] {
        while true {
            if let end = pending.firstIndex(of: 10) {
                let line = Array(pending[..<end])
                pending.removeFirst(end + 1)
                return line
            }
            pending += try await socket.receive(within: 30)
        }
    }
}
