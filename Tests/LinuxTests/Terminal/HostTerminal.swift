// A pseudo-terminal of the machine the tests run on: Linux's own line discipline, to compare with.

import Glibc

@testable import Linux

final class HostTerminal {
    private let master: Int32
    private let slave: Int32

    /// How long the host gets before settings change, in microseconds.
    private let pause: UInt32

    init?(_ settings: Termios, pause: UInt32) {
        self.pause = pause
        var master: Int32 = -1
        var slave: Int32 = -1
        guard unsafe openpty(&master, &slave, nil, nil, nil) == 0 else { return nil }
        self.master = master
        self.slave = slave
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        _ = fcntl(slave, F_SETFL, O_NONBLOCK)
        set(settings)
    }

    deinit {
        close(master)
        close(slave)
    }

    func set(_ settings: Termios) {
        // What was typed before is to be processed under the old settings.
        usleep(pause)
        var bytes = settings.bytes(.termios)
        _ = unsafe bytes.withUnsafeMutableBytes { unsafe ioctl(slave, 0x5402, $0.baseAddress!) }
    }

    /// Types one byte; returns what was echoed, after waiting for `expected` bytes or for longer than it takes.
    func type(_ byte: UInt8, expecting expected: Int) -> [UInt8] {
        var byte = byte
        _ = unsafe Glibc.write(master, &byte, 1)
        return collect(expected)
    }

    /// Writes as a program does; returns what the device gets.
    func write(_ bytes: [UInt8], expecting expected: Int) -> [UInt8] {
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(slave, $0.baseAddress!, $0.count) }
        return collect(expected)
    }

    /// The host works on what was written in a thread of its own.
    private func collect(_ expected: Int) -> [UInt8] {
        var all: [UInt8] = []
        for attempt in 0..<10_000 {
            all += drain(master)
            if all.count >= expected, expected > 0 || attempt > 0 { break }
            usleep(100)
        }
        return all
    }

    /// Bytes that FIONREAD reports, once they are `expected` or after waiting long enough.
    func readableCount(expecting expected: Int) -> Int {
        var count: Int32 = 0
        for _ in 0..<10_000 {
            _ = unsafe ioctl(slave, 0x541b, &count)
            if count == Int32(expected) { break }
            usleep(100)
        }
        return Int(count)
    }

    /// One read; nil where it would wait.
    func read(_ limit: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(slave, $0.baseAddress!, limit) }
        return count < 0 ? nil : Array(buffer[..<count])
    }

    private func drain(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress!, $0.count)
            }
            if count <= 0 { return all }
            all += buffer[..<count]
        }
    }
}
