// Resource limits and usage: getrlimit, setrlimit, prlimit64, getrusage, times.

import Memory
import Primitives
import Tasks
import Time

extension SystemCalls {
    private static func resource(_ argument: UInt) throws(Errno) -> Resource {
        guard argument.asUInt32 < 16, let resource = Resource(rawValue: Int(argument.asUInt32)) else {
            throw .invalid
        }
        return resource
    }

    static func getrlimit(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let resource = try resource(arguments.a0)
        let limit = LinuxTask.current.process.limits.withLock { $0[resource] }
        try store(limit, to: arguments.a1, task)
        return 0
    }

    static func setrlimit(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let resource = try resource(arguments.a0)
        let new = try load(ResourceLimit.self, from: arguments.a1, task)
        _ = try LinuxTask.current.process.setLimit(resource, new, task)
        return 0
    }

    static func prlimit64(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let resource = try resource(arguments.a1)
        var new: ResourceLimit?
        if arguments.a2 != 0 { new = try load(ResourceLimit.self, from: arguments.a2, task) }
        let process = try process(arguments.a0.asInt32)
        if process !== LinuxTask.current.process { try checkMayLimit(process) }
        var old = process.limits.withLock { $0[resource] }
        if let new { old = try process.setLimit(resource, new, task) }
        if arguments.a3 != 0 { try store(old, to: arguments.a3, task) }
        return 0
    }

    /// Only the same user, real, effective and saved, and who has CAP_SYS_RESOURCE.
    private static func checkMayLimit(_ process: Process) throws(Errno) {
        let own = LinuxTask.current.credentials
        guard let target = process.firstTask?.observedCredentials else { throw .noSuchProcess }
        let same =
            own.userID == target.userID && own.userID == target.effectiveUserID
            && own.userID == target.savedUserID && own.groupID == target.groupID
            && own.groupID == target.effectiveGroupID && own.groupID == target.savedGroupID
        guard same || own.has(.resource) else { throw .notPermitted }
    }

    static func getrusage(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let current = LinuxTask.current
        let usage: CPUUsage
        switch arguments.a0.asInt32 {
        case 0: usage = current.process.times  // RUSAGE_SELF
        case -1: usage = current.process.waitedTimes  // RUSAGE_CHILDREN
        case 1: usage = CPUUsage(current.thread)  // RUSAGE_THREAD
        default: throw .invalid
        }
        try store(ResourceUsage(usage), to: arguments.a1, task)
        return 0
    }

    static func times(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        if arguments.a0 != 0 {
            let process = LinuxTask.current.process
            let own = process.times
            let children = process.waitedTimes
            let tick = CPUUsage.nanosecondsPerTick
            let words = [own.user / tick, own.system / tick, children.user / tick, children.system / tick]
            for index in 0..<4 { try store(words[index], to: arguments.a0 &+ UInt(index * 8), task) }
        }
        return Int(truncatingIfNeeded: Clock.monotonic / CPUUsage.nanosecondsPerTick)
    }
}

extension Process {
    /// Sets a limit and returns the one before. Raising the hard limit needs CAP_SYS_RESOURCE.
    func setLimit(
        _ resource: Resource, _ new: ResourceLimit, _ task: borrowing TaskContext
    ) throws(Errno) -> ResourceLimit {
        guard new.current <= new.maximum else { throw .invalid }
        if resource == .openFiles, new.maximum > UInt64(DescriptorTable.ceiling) { throw .notPermitted }
        let mayRaise = LinuxTask.current.credentials.has(.resource)
        let old = try limits.withLock { limits throws(Errno) in
            let old = limits[resource]
            guard new.maximum <= old.maximum || mayRaise else { throw Errno.notPermitted }
            limits[resource] = new
            return old
        }
        if resource == .addressSpace || resource == .data || resource == .stack {
            addressSpace?.setLimits(addressSpaceLimits)
        }
        if resource == .cpuTime { timers.setLimit(new, of: self, task) }
        if resource == .realTimeTime { timers.setRealTimeLimit(new, of: self, task) }
        return old
    }

    /// The limits that the address space keeps.
    var addressSpaceLimits: AddressSpaceLimits {
        limits.withLock { limits in
            var result = AddressSpaceLimits()
            result.total = UInt(limits[.addressSpace].current)
            result.data = UInt(limits[.data].current)
            result.stack = UInt(limits[.stack].current)
            return result
        }
    }

    /// Of the children that were waited for. Any context but NMI.
    var waitedTimes: CPUUsage { ProcessTable.lock.withLockInterruptsOff { _, _ in childTimes } }
}

/// `struct rusage`: what is counted; the rest is zero.
struct ResourceUsage {
    private var userSeconds: UInt64
    private var userMicroseconds: UInt64
    private var systemSeconds: UInt64
    private var systemMicroseconds: UInt64
    private var sizes = InlineArray<12, UInt64>(repeating: 0)
    private var voluntarySwitches: UInt64
    private var involuntarySwitches: UInt64

    init(_ usage: CPUUsage) {
        userSeconds = usage.user / 1_000_000_000
        userMicroseconds = usage.user % 1_000_000_000 / 1000
        systemSeconds = usage.system / 1_000_000_000
        systemMicroseconds = usage.system % 1_000_000_000 / 1000
        voluntarySwitches = usage.voluntarySwitches
        involuntarySwitches = usage.involuntarySwitches
    }
}
