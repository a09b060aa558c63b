// The machine as a whole: uname, host name, sysinfo, getrandom, reboot, syslog, getcpu; and what user
// programs may not have.

import Machine
import Memory
import Primitives
import Tasks
import Time

/// The names that `uname` shows. Task context, short sections.
struct HostNames {
    static let limit = 64
    var host: [UInt8] = [0x28, 0x6e, 0x6f, 0x6e, 0x65, 0x29]
    var domain: [UInt8] = [0x28, 0x6e, 0x6f, 0x6e, 0x65, 0x29]

    static let shared = SpinLock(HostNames())
    static let release: StaticString = "6.1.0-apus"
    static let version: StaticString = "#1 SMP PREEMPT"
}

extension SystemCalls {
    static func uname(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let names = HostNames.shared.withLock { $0 }
        var fields: [[UInt8]] = []
        fields.append(bytes("Linux"))
        fields.append(names.host)
        fields.append(bytes(HostNames.release))
        fields.append(bytes(HostNames.version))
        fields.append(bytes("x86_64"))
        fields.append(names.domain)
        for index in fields.indices {
            var field = fields[index]
            while field.count < HostNames.limit + 1 { field.append(0) }
            try UserMemory.copyOut(field.span, to: arguments.a0 &+ UInt(index * (HostNames.limit + 1)), task)
        }
        return 0
    }

    static func bytes(_ text: StaticString) -> [UInt8] {
        // A static string's code units live as long as the kernel.
        unsafe [UInt8](UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    static func sethostname(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let name = try newName(arguments, task)
        HostNames.shared.withLock { $0.host = name }
        return 0
    }

    static func setdomainname(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let name = try newName(arguments, task)
        HostNames.shared.withLock { $0.domain = name }
        return 0
    }

    private static func newName(
        _ arguments: SystemCallArguments, _ task: borrowing TaskContext
    ) throws(Errno) -> [UInt8] {
        guard LinuxTask.current.credentials.has(.administration) else { throw .notPermitted }
        let count = Int(arguments.a1.asInt32)
        guard count >= 0, count <= HostNames.limit else { throw .invalid }
        return try UserMemory.bytes(at: arguments.a0, count: count, task)
    }

    static func sysinfo(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try store(SystemInformation.now, to: arguments.a0, task)
        return 0
    }

    static func getrandom(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let flags = arguments.a2.asUInt32
        // GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE; the last two exclude each other.
        guard flags & ~7 == 0, flags & 6 != 6 else { throw .invalid }
        let wanted = min(Int(clamping: arguments.a1), Int(Int32.max))
        var done = 0
        var piece = InlineArray<256, UInt8>(repeating: 0)
        while done < wanted {
            let count = min(wanted - done, 256)
            var bytes = piece.mutableSpan
            Randomness.fill(&bytes)
            let written = UserMemory.write(
                piece.span.extracting(0..<count), to: arguments.a0 &+ UInt(done), task)
            done += written
            if written < count {
                guard done > 0 else { throw .badAddress }
                break
            }
            if LinuxTask.current.hasSignalPending { break }
            Scheduler.reschedulePoint(task)
        }
        return done
    }

    static func getcpu(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        if arguments.a0 != 0 { try store(UInt32(truncatingIfNeeded: CPU.index), to: arguments.a0, task) }
        // One memory node.
        if arguments.a1 != 0 { try store(UInt32(0), to: arguments.a1, task) }
        return 0
    }

    /// Ports belong to drivers.
    static func ioperm(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let end = arguments.a0.addingReportingOverflow(arguments.a1)
        guard !end.overflow, end.partialValue > arguments.a0, end.partialValue <= 65536 else {
            throw .invalid
        }
        throw .notPermitted
    }

    static func iopl(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        guard arguments.a0.asUInt32 <= 3 else { throw .invalid }
        if arguments.a0.asUInt32 == 0 { return 0 }
        throw .notPermitted
    }
}

/// `struct sysinfo`.
struct SystemInformation {
    var uptime: Int64 = 0
    var load1: UInt64 = 0
    var load5: UInt64 = 0
    var load15: UInt64 = 0
    var totalMemory: UInt64 = 0
    var freeMemory: UInt64 = 0
    var sharedMemory: UInt64 = 0
    var bufferMemory: UInt64 = 0
    var totalSwap: UInt64 = 0
    var freeSwap: UInt64 = 0
    var processes: UInt16 = 0
    private var padding: UInt16 = 0
    private var padding2: UInt32 = 0
    var totalHigh: UInt64 = 0
    var freeHigh: UInt64 = 0
    var unit: UInt32 = 1
    private var padding3: UInt32 = 0

    static var now: SystemInformation {
        var information = SystemInformation()
        information.uptime = Int64((Clock.monotonic + 999_999_999) / 1_000_000_000)
        information.totalMemory = UInt64(Frames.totalCount) * UInt64(pageSize)
        information.freeMemory = UInt64(Frames.freeCount) * UInt64(pageSize)
        information.processes = UInt16(truncatingIfNeeded: ProcessTable.count)
        return information
    }
}
