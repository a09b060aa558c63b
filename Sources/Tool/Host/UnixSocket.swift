// A stream socket of the host, as a client, without blocking a thread of the tool.
import Foundation
import Glibc

/// A connection to a socket in the file system. One task at a time reads, one writes.
final class UnixSocket: Sendable {
    private let descriptor: Int32

    /// Connects to the socket at `path`, waiting up to `seconds` for somebody to listen there.
    init(path: String, within seconds: Double) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            if let connected = Self.connect(path) {
                descriptor = connected
                return
            }
            guard ContinuousClock.now < end else { throw ToolError("nobody listens at \(path)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    deinit { close(descriptor) }

    private static func connect(_ path: String) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        guard result == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Sends all of the bytes.
    func send(_ bytes: [UInt8]) async throws {
        var done = 0
        while done < bytes.count {
            let sent = bytes[done...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                done += sent
            } else {
                guard errno == EAGAIN || errno == EINTR else { throw ToolError("a socket was closed") }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    /// The next bytes, at least one; throws after `seconds` without any, and at the end of the connection.
    func receive(within seconds: Double) async throws -> [UInt8] {
        let end = ContinuousClock.now + .seconds(seconds)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return Array(buffer[..<count]) }
            guard count < 0, errno == EAGAIN || errno == EINTR else { throw ToolError("a socket was closed") }
            guard ContinuousClock.now < end else { throw ToolError("no answer within \(seconds) s") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
