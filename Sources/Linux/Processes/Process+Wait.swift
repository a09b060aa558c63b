// Waiting for children: wait4 and waitid.

import Primitives
import Tasks

/// Which children a call waits for, and for what.
struct WaitRequest {
    enum Children {
        case any
        case process(Int32)
        case group(Int32)
    }

    /// Options of wait4(2) and waitid(2).
    enum Option {
        static let noHang: UInt32 = 1  // WNOHANG
        static let stopped: UInt32 = 2  // WUNTRACED, WSTOPPED
        static let exited: UInt32 = 4  // WEXITED
        static let continued: UInt32 = 8  // WCONTINUED
        static let noWait: UInt32 = 0x0100_0000  // WNOWAIT
        static let ownThread: UInt32 = 0x2000_0000  // __WNOTHREAD
        static let all: UInt32 = 0x4000_0000  // __WALL
        static let clone: UInt32 = 0x8000_0000  // __WCLONE
    }

    var children: Children
    var options: UInt32

    func has(_ option: UInt32) -> Bool { options & option != 0 }

    /// Children that do not say SIGCHLD at their end are waited for only on demand.
    func concerns(_ child: Process) -> Bool {
        has(Option.all) || (child.exitSignal != Signal.child.number) == has(Option.clone)
    }
}

/// What happened to a child.
struct WaitedChild {
    let process: Int32
    let user: UInt32
    /// As wait4 reports it.
    let status: Int32
    /// As waitid and SIGCHLD report it.
    let code: Int32
    let codeStatus: Int32
    let usage: CPUUsage
}

extension Process {
    /// Waits for a child of this process, which is the caller's. Nil if nothing happened yet and the
    /// caller does not want to sleep. Throws `.noChild` if there is none to wait for.
    func wait(_ request: WaitRequest, _ task: borrowing TaskContext) throws(Errno) -> WaitedChild? {
        let caller = LinuxTask.current.thread.identifier
        if request.has(WaitRequest.Option.noHang) { return try look(request, caller) }
        return try childEvents.wait(task, interruptible: true) { () throws(Errno) -> WaitedChild? in
            try look(request, caller)
        }
    }

    private func look(_ request: WaitRequest, _ caller: UInt64) throws(Errno) -> WaitedChild? {
        try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            var result: WaitedChild?
            var exists = false
            func examine(_ child: Process) -> Bool {
                guard request.concerns(child),
                    !request.has(WaitRequest.Option.ownThread) || child.parentThread == caller
                else { return true }
                exists = true
                result = table.collect(child, request)
                return result == nil
            }
            switch request.children {
            case .process(let identifier):
                if let child = table.process(identifier), child.parent === self { _ = examine(child) }
            case .group(let identifier):
                children.forEach { $0.groupUnderLock.identifier == identifier ? examine($0) : true }
            case .any: children.forEach { examine($0) }
            }
            guard exists else { throw .noChild }
            return result
        }
    }
}

// Under the process table's lock.
extension PidTable {
    /// What the request wants to know of a child, if it has happened.
    mutating func collect(_ child: Process, _ request: WaitRequest) -> WaitedChild? {
        if child.life == .zombie {
            guard request.has(WaitRequest.Option.exited) else { return nil }
            return collectEnd(child, request)
        }
        return collectStop(child, request)
    }

    private mutating func collectEnd(_ child: Process, _ request: WaitRequest) -> WaitedChild {
        let (code, status) = Process.childCode(child.exitStatus)
        var usage = child.times
        usage += child.childTimes
        let result = WaitedChild(
            process: child.identifier, user: child.userIdentifier, status: child.exitStatus, code: code,
            codeStatus: status, usage: usage)
        if !request.has(WaitRequest.Option.noWait) {
            child.parent?.childTimes += usage
            reap(child)
        }
        return result
    }

    private func collectStop(_ child: Process, _ request: WaitRequest) -> WaitedChild? {
        let keep = request.has(WaitRequest.Option.noWait)
        let event = child.signals.withLockInterruptsOff { signals, _ -> (code: Int32, signal: UInt8)? in
            if request.has(WaitRequest.Option.stopped), signals.unreportedStop, let stop = signals.stopSignal
            {
                if !keep { signals.unreportedStop = false }
                return (SignalCode.childStopped, stop.number)
            }
            if request.has(WaitRequest.Option.continued), signals.unreportedContinue {
                if !keep { signals.unreportedContinue = false }
                return (SignalCode.childContinued, Signal.continue.number)
            }
            return nil
        }
        guard let event else { return nil }
        let status = event.code == SignalCode.childStopped ? Int32(event.signal) << 8 | 0x7f : 0xffff
        return WaitedChild(
            process: child.identifier, user: child.userIdentifier, status: status, code: event.code,
            codeStatus: Int32(event.signal), usage: child.times)
    }
}
