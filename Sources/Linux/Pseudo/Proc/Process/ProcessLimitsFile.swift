// /proc/PID/limits.

import Primitives

enum ProcessLimitsFile {
    private static let rows: [(name: StaticString, resource: Resource, unit: StaticString)] = [
        ("Max cpu time", .cpuTime, "seconds"), ("Max file size", .fileSize, "bytes"),
        ("Max data size", .data, "bytes"), ("Max stack size", .stack, "bytes"),
        ("Max core file size", .core, "bytes"), ("Max resident set", .residentSet, "bytes"),
        ("Max processes", .processes, "processes"), ("Max open files", .openFiles, "files"),
        ("Max locked memory", .lockedMemory, "bytes"), ("Max address space", .addressSpace, "bytes"),
        ("Max file locks", .fileLocks, "locks"), ("Max pending signals", .pendingSignals, "signals"),
        ("Max msgqueue size", .messageQueues, "bytes"), ("Max nice priority", .nice, ""),
        ("Max realtime priority", .realTimePriority, ""), ("Max realtime timeout", .realTimeTime, "us"),
    ]

    static func show(_ subject: ProcessSubject, _ text: inout Text) {
        let limits = subject.process.limits.withLock { $0 }
        text.add(column: "Limit", width: 26)
        text.add(column: "Soft Limit", width: 21)
        text.add(column: "Hard Limit", width: 21)
        text.add("Units     \n")
        for row in rows {
            text.add(column: row.name, width: 26)
            add(limits[row.resource].current, &text)
            add(limits[row.resource].maximum, &text)
            text.add(column: row.unit, width: row.unit.utf8CodeUnitCount == 0 ? 0 : 10)
            text.add("\n")
        }
    }

    private static func add(_ value: UInt64, _ text: inout Text) {
        let start = text.count
        if value == ResourceLimit.infinity { text.add("unlimited") } else { text.add("\(value)") }
        text.pad(from: start, to: 21)
    }
}
