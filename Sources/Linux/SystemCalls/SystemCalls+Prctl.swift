// prctl, arch_prctl, personality.

import Machine
import Primitives
import Tasks

extension SystemCalls {
    static func prctl(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let current = LinuxTask.current
        let process = current.process
        let value = arguments.a1
        switch arguments.a0.asInt32 {
        case 1:  // PR_SET_PDEATHSIG
            guard value <= 64 else { throw .invalid }
            process.setParentDeathSignal(UInt8(truncatingIfNeeded: value))
        case 2: try store(Int32(process.parentDeathSignal), to: value, task)  // PR_GET_PDEATHSIG
        case 3: return process.isDumpable ? 1 : 0  // PR_GET_DUMPABLE
        case 4:  // PR_SET_DUMPABLE
            guard value <= 1 else { throw .invalid }
            process.isDumpable = value == 1
        case 7: return current.credentials.keepsCapabilities ? 1 : 0  // PR_GET_KEEPCAPS
        case 8:  // PR_SET_KEEPCAPS
            guard value <= 1 else { throw .invalid }
            current.change { $0.keepsCapabilities = value == 1 }
        case 15: try setName(from: value, task)  // PR_SET_NAME
        case 16: try storeName(to: value, task)  // PR_GET_NAME
        case 21: return 0  // PR_GET_SECCOMP: no filter
        // PR_CAPBSET_READ
        case 23: return try capability(value) { current.credentials.bounding.contains($0) }
        case 24:  // PR_CAPBSET_DROP
            guard current.credentials.has(.setCapabilities) else { throw .notPermitted }
            return try capability(value) { number in
                current.change { $0.bounding.remove(number) }
                return false
            }
        case 25: try store(Int32(1), to: value, task)  // PR_GET_TSC: PR_TSC_ENABLE
        case 26: guard value == 1 else { throw .invalid }  // PR_SET_TSC
        case 27: return Int(current.credentials.secureBits)  // PR_GET_SECUREBITS
        case 28:  // PR_SET_SECUREBITS
            guard current.credentials.has(.setCapabilities), value <= 0xff else { throw .notPermitted }
            current.change { $0.secureBits = UInt32(value) }
        case 29:  // PR_SET_TIMERSLACK
            current.timerSlack = value == 0 ? LinuxTask.defaultTimerSlack : UInt64(value)
        case 30: return Int(clamping: current.timerSlack)  // PR_GET_TIMERSLACK
        case 36: process.setSubreaper(value != 0)  // PR_SET_CHILD_SUBREAPER
        case 37: try store(Int32(process.isSubreaper ? 1 : 0), to: value, task)  // PR_GET_CHILD_SUBREAPER
        case 38:  // PR_SET_NO_NEW_PRIVS
            guard value == 1, arguments.a2 == 0, arguments.a3 == 0, arguments.a4 == 0 else { throw .invalid }
            current.noNewPrivileges = true
        case 39:  // PR_GET_NO_NEW_PRIVS
            guard value == 0, arguments.a2 == 0, arguments.a3 == 0, arguments.a4 == 0 else { throw .invalid }
            return current.noNewPrivileges ? 1 : 0
        case 40: try store(current.clearThreadIdentifier, to: value, task)  // PR_GET_TID_ADDRESS
        case 41: return 0  // PR_SET_THP_DISABLE: there are no huge pages
        case 42: return 0  // PR_GET_THP_DISABLE
        case 47: return try ambient(arguments)  // PR_CAP_AMBIENT
        default: throw .invalid
        }
        return 0
    }

    private static func setName(from address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        var name = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<15 {
            name[index] = try load(UInt8.self, from: address &+ UInt(index), task)
            if name[index] == 0 { break }
        }
        LinuxTask.current.thread.setName(ThreadName(name.span))
    }

    private static func storeName(to address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        let name = LinuxTask.current.thread.name.bytes
        for index in 0..<16 { try store(name[index], to: address &+ UInt(index), task) }
    }

    private static func capability(
        _ value: UInt, _ body: (CapabilitySet.Number) throws(Errno) -> Bool
    ) throws(Errno) -> Int {
        guard value <= UInt(CapabilitySet.last) else { throw .invalid }
        return try body(CapabilitySet.Number(UInt64(value))) ? 1 : 0
    }

    private static func ambient(_ arguments: SystemCallArguments) throws(Errno) -> Int {
        let current = LinuxTask.current
        let operation = arguments.a1
        guard arguments.a3 == 0, arguments.a4 == 0 else { throw .invalid }
        if operation == 4 {  // PR_CAP_AMBIENT_CLEAR_ALL
            guard arguments.a2 == 0 else { throw .invalid }
            current.change { $0.ambient = .none }
            return 0
        }
        return try capability(arguments.a2) { number throws(Errno) in
            switch operation {
            case 1: return current.credentials.ambient.contains(number)  // IS_SET
            case 2:  // RAISE
                let now = current.credentials
                guard now.permitted.contains(number), now.inheritable.contains(number) else {
                    throw .notPermitted
                }
                current.change { $0.ambient.insert(number) }
            case 3: current.change { $0.ambient.remove(number) }  // LOWER
            default: throw .invalid
            }
            return false
        }
    }

    static func arch_prctl(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let address = arguments.a1
        switch arguments.a0.asInt32 {
        case 0x1001:  // ARCH_SET_GS
            guard address < KernelLayout.userEnd else { throw .notPermitted }
            var bases = Thread.segmentBases
            bases.gs = UInt64(address)
            Thread.segmentBases = bases
        case 0x1002:  // ARCH_SET_FS
            guard address < KernelLayout.userEnd else { throw .notPermitted }
            var bases = Thread.segmentBases
            bases.fs = UInt64(address)
            Thread.segmentBases = bases
        case 0x1003: try store(Thread.segmentBases.fs, to: address, task)  // ARCH_GET_FS
        case 0x1004: try store(Thread.segmentBases.gs, to: address, task)  // ARCH_GET_GS
        case 0x1011: return 1  // ARCH_GET_CPUID: the instruction works
        // ARCH_SET_CPUID: no processor here can make the instruction fault.
        case 0x1012: throw .noDevice
        default: throw .invalid
        }
        return 0
    }

    static func personality(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let current = LinuxTask.current
        let old = current.personality
        if arguments.a0.asUInt32 != .max { current.personality = arguments.a0.asUInt32 }
        return Int(old)
    }
}
