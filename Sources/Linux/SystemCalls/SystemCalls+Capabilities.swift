// capget and capset: in the layouts of versions 1 (32 bits) and 2 and 3 (64 bits).

import Primitives

/// `struct __user_cap_header_struct`.
private struct CapabilityHeader {
    var version: UInt32
    var process: Int32

    static let version1: UInt32 = 0x1998_0330
    static let version2: UInt32 = 0x2007_1026
    static let version3: UInt32 = 0x2008_0522
}

/// `struct __user_cap_data_struct`: half of three sets.
private struct CapabilityData {
    var effective: UInt32
    var permitted: UInt32
    var inheritable: UInt32
}

extension SystemCalls {
    /// Number of halves that the caller's version has. An unknown version is answered with the newest.
    private static func capabilityHalves(
        _ header: CapabilityHeader, at address: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? {
        switch header.version {
        case CapabilityHeader.version1: return 1
        case CapabilityHeader.version2, CapabilityHeader.version3: return 2
        default:
            try store(CapabilityHeader.version3, to: address, task)
            return nil
        }
    }

    static func capget(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let header = try load(CapabilityHeader.self, from: arguments.a0, task)
        guard let halves = try capabilityHalves(header, at: arguments.a0, task) else {
            // A null pointer only asks for the version.
            if arguments.a1 == 0 { return 0 }
            throw .invalid
        }
        guard header.process >= 0 else { throw .invalid }
        if arguments.a1 == 0 { return 0 }
        let target = header.process == 0 ? LinuxTask.current : ProcessTable.task(header.process)
        guard let target else { throw .noSuchProcess }
        let credentials = target.observedCredentials
        for half in 0..<halves {
            let shift = UInt64(32 * half)
            let data = CapabilityData(
                effective: UInt32(truncatingIfNeeded: credentials.effective.bits >> shift),
                permitted: UInt32(truncatingIfNeeded: credentials.permitted.bits >> shift),
                inheritable: UInt32(truncatingIfNeeded: credentials.inheritable.bits >> shift))
            try store(data, to: arguments.a1 &+ UInt(half * 12), task)
        }
        return 0
    }

    static func capset(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let header = try load(CapabilityHeader.self, from: arguments.a0, task)
        guard let halves = try capabilityHalves(header, at: arguments.a0, task) else { throw .invalid }
        let current = LinuxTask.current
        guard header.process == 0 || header.process == current.identifier else { throw .notPermitted }
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        var inheritable: UInt64 = 0
        for half in 0..<halves {
            let data = try load(CapabilityData.self, from: arguments.a1 &+ UInt(half * 12), task)
            effective |= UInt64(data.effective) << UInt64(32 * half)
            permitted |= UInt64(data.permitted) << UInt64(32 * half)
            inheritable |= UInt64(data.inheritable) << UInt64(32 * half)
        }
        try current.setCapabilities(
            effective: CapabilitySet(bits: effective & CapabilitySet.all.bits),
            permitted: CapabilitySet(bits: permitted & CapabilitySet.all.bits),
            inheritable: CapabilitySet(bits: inheritable & CapabilitySet.all.bits))
        return 0
    }
}

extension LinuxTask {
    /// The rules of capabilities(7), "Programmatically adjusting capability sets".
    fileprivate func setCapabilities(
        effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet
    ) throws(Errno) {
        let now = credentials
        let reachable = CapabilitySet(bits: now.inheritable.bits | now.permitted.bits)
        let bounded = CapabilitySet(bits: now.inheritable.bits | now.bounding.bits)
        guard now.has(.setCapabilities) || inheritable.isSubset(of: reachable),
            inheritable.isSubset(of: bounded), permitted.isSubset(of: now.permitted),
            effective.isSubset(of: permitted)
        else { throw .notPermitted }
        change {
            $0.effective = effective
            $0.permitted = permitted
            $0.inheritable = inheritable
            $0.ambient = CapabilitySet(bits: now.ambient.bits & permitted.bits & inheritable.bits)
        }
    }
}
