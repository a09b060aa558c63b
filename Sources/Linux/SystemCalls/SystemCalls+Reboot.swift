// reboot and syslog.

import Memory
import Primitives
import Tasks

extension SystemCalls {
    static func reboot(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        guard LinuxTask.current.credentials.has(.reboot) else { throw .notPermitted }
        // LINUX_REBOOT_MAGIC1 and the four dates.
        guard arguments.a0.asUInt32 == 0xfee1_dead else { throw .invalid }
        switch arguments.a1.asUInt32 {
        case 672_274_793, 85_072_278, 369_367_448, 537_993_216: break
        default: throw .invalid
        }
        switch arguments.a2.asUInt32 {
        case 0, 0x89ab_cdef:  // CAD_OFF, CAD_ON
            ControlAltDelete.isHard = arguments.a2.asUInt32 != 0
            return 0
        case 0x0123_4567: KernelHooks.shutDown(.restart)
        case 0xcdef_0123: KernelHooks.shutDown(.halt)
        case 0x4321_fedc: KernelHooks.shutDown(.powerOff)
        case 0xa1b2_c3d4:  // RESTART2 with a word for the firmware
            _ = try UserMemory.string(at: arguments.a3, limit: 256, task)
            KernelHooks.shutDown(.restart)
        default: throw .invalid
        }
        throw .invalid
    }

    /// Where `syslog` goes on reading, and where it was last cleared.
    private struct LogReader {
        var read: UInt64 = 0
        var cleared: UInt64 = 0
        var savedLevel: UInt8?
    }
    /// Task context.
    private static let logReader = SpinLock(LogReader())

    static func syslog(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let action = arguments.a0.asInt32
        let length = arguments.a2.asInt32
        let own = LinuxTask.current.credentials
        // Reading all of it, and its size, are open to everybody.
        guard action == 3 || action == 10 || own.has(.systemLog) || own.has(.administration) else {
            throw .notPermitted
        }
        switch action {
        case 0, 1: return 0  // CLOSE, OPEN
        case 2:
            return try readLog(arguments.a1, length, from: logReader.withLock { $0.read }, isRead: true, task)
        case 3, 4:  // READ_ALL, READ_CLEAR
            let count = try readAllLog(arguments.a1, length, task)
            if action == 4 { clearLog() }
            return count
        case 5: clearLog()  // CLEAR
        case 6: setConsoleLevel(nil, isOff: true)  // CONSOLE_OFF
        case 7: setConsoleLevel(nil, isOff: false)  // CONSOLE_ON
        case 8:  // CONSOLE_LEVEL
            guard length >= 1, length <= 8 else { throw .invalid }
            setConsoleLevel(UInt8(length), isOff: false)
        case 9:  // SIZE_UNREAD
            return Int(clamping: KernelLog.written &- logReader.withLock { $0.read })
        case 10: return KernelLog.size  // SIZE_BUFFER
        default: throw .invalid
        }
        return 0
    }

    private static func clearLog() {
        let now = KernelLog.written
        logReader.withLock { $0.cleared = now }
    }

    private static func setConsoleLevel(_ level: UInt8?, isOff: Bool) {
        logReader.withLock { reader in
            if let level {
                reader.savedLevel = nil
                unsafe LogHooks.consoleLevel = level
            } else if isOff {
                if reader.savedLevel == nil { reader.savedLevel = unsafe LogHooks.consoleLevel }
                unsafe LogHooks.consoleLevel = 1
            } else if let saved = reader.savedLevel {
                unsafe LogHooks.consoleLevel = saved
                reader.savedLevel = nil
            }
        }
    }

    /// The end of the log, as much as fits.
    private static func readAllLog(
        _ address: UInt, _ length: Int32, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard address != 0, length >= 0 else { throw .invalid }
        let end = KernelLog.written
        let room = UInt64(min(Int(length), KernelLog.size))
        let start = max(end > room ? end - room : 0, logReader.withLock { $0.cleared })
        return try readLog(address, length, from: start, isRead: false, task)
    }

    private static func readLog(
        _ address: UInt, _ length: Int32, from start: UInt64, isRead: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard address != 0, length >= 0 else { throw .invalid }
        var done = 0
        var position = start
        var piece = InlineArray<512, UInt8>(repeating: 0)
        while done < Int(length) {
            var bytes = piece.mutableSpan
            let got = KernelLog.read(from: position, into: &bytes)
            let count = min(got.count, Int(length) - done)
            if count == 0 { break }
            try UserMemory.copyOut(
                piece.span.extracting(0..<count), to: address &+ UInt(done), task)
            done += count
            position = got.position &+ UInt64(count)
        }
        if isRead { logReader.withLock { $0.read = position } }
        return done
    }
}
