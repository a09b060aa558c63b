// wait4 and waitid.

import Primitives

extension SystemCalls {
    static func wait4(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        typealias Option = WaitRequest.Option
        let options = arguments.a2.asUInt32
        let known =
            Option.noHang | Option.stopped | Option.continued | Option.ownThread | Option.clone | Option.all
        guard options & ~known == 0 else { throw .invalid }
        let identifier = arguments.a0.asInt32
        // The smallest number has no positive counterpart.
        guard identifier != .min else { throw .noSuchProcess }
        let process = LinuxTask.current.process
        let children: WaitRequest.Children =
            switch identifier {
            case 1...: .process(identifier)
            case 0: .group(process.groupIdentifier)
            case -1: .any
            default: .group(-identifier)
            }
        let request = WaitRequest(children: children, options: options | Option.exited)
        guard let result = try process.wait(request, task) else { return 0 }
        if arguments.a1 != 0 { try store(result.status, to: arguments.a1, task) }
        if arguments.a3 != 0 { try store(ResourceUsage(result.usage), to: arguments.a3, task) }
        return Int(result.process)
    }

    static func waitid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        typealias Option = WaitRequest.Option
        let options = arguments.a3.asUInt32
        let events = Option.exited | Option.stopped | Option.continued
        let known = events | Option.noHang | Option.noWait | Option.ownThread | Option.clone | Option.all
        guard options & ~known == 0, options & events != 0 else { throw .invalid }
        let process = LinuxTask.current.process
        let identifier = arguments.a1.asInt32
        let children: WaitRequest.Children
        switch arguments.a0.asUInt32 {
        case 0: children = .any  // P_ALL
        case 1:  // P_PID
            guard identifier > 0 else { throw .invalid }
            children = .process(identifier)
        case 2:  // P_PGID
            guard identifier >= 0 else { throw .invalid }
            children = .group(identifier == 0 ? process.groupIdentifier : identifier)
        default: throw .invalid
        }
        let result = try process.wait(WaitRequest(children: children, options: options), task)
        if let result, arguments.a4 != 0 { try store(ResourceUsage(result.usage), to: arguments.a4, task) }
        if arguments.a2 != 0 { try store(ChildReport(result), to: arguments.a2, task) }
        return 0
    }
}

/// The part of `siginfo_t` that waitid fills: up to `si_status`.
private struct ChildReport {
    var number: Int32 = 0
    var error: Int32 = 0
    var code: Int32 = 0
    private var padding: Int32 = 0
    var process: Int32 = 0
    var user: UInt32 = 0
    var status: Int32 = 0

    /// All zero if nothing happened.
    init(_ result: WaitedChild?) {
        guard let result else { return }
        number = Int32(Signal.child.number)
        code = result.code
        process = result.process
        user = result.user
        status = result.codeStatus
    }
}
