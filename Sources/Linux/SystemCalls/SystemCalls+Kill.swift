// Sending signals: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo.

import Primitives

extension SystemCalls {
    /// The signal of an argument; nil is 0, which only asks whether a signal could be sent.
    @inline(__always)
    static func signal(_ argument: UInt) throws(Errno) -> Signal? {
        let number = Int(argument.asInt32)
        if number == 0 { return nil }
        guard let signal = Signal(checking: number) else { throw .invalid }
        return signal
    }

    static func kill(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let target = arguments.a0.asInt32
        let signal = try signal(arguments.a1)
        let sender = SignalSender(code: SignalCode.user)
        if target > 0 {
            guard let process = ProcessTable.task(target)?.process else { throw .noSuchProcess }
            try sender.send(signal, to: process)
        } else if target == -1 {
            try sender.sendToAll(signal)
        } else {
            let group = target == 0 ? LinuxTask.current.process.groupIdentifier : 0 &- target
            // The smallest number has no positive counterpart.
            guard group > 0 else { throw .noSuchProcess }
            try sender.send(signal, toGroup: group)
        }
        return 0
    }

    static func tkill(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let identifier = arguments.a0.asInt32
        guard identifier > 0 else { throw .invalid }
        let signal = try signal(arguments.a1)
        if sendToSelf(signal, identifier, nil) { return 0 }
        guard let thread = ProcessTable.task(identifier) else { throw .noSuchProcess }
        try SignalSender(code: SignalCode.threadKill).send(signal, to: thread.process, thread)
        return 0
    }

    static func tgkill(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let signal = try signal(arguments.a2)
        if sendToSelf(signal, arguments.a1.asInt32, arguments.a0.asInt32) { return 0 }
        return try sendToThread(signal, arguments.a1.asInt32, of: arguments.a0.asInt32)
    }

    @inline(never)
    private static func sendToThread(
        _ signal: Signal?, _ identifier: Int32, of process: Int32
    ) throws(Errno) -> Int {
        let thread = try thread(identifier, of: process)
        try SignalSender(code: SignalCode.threadKill).send(signal, to: thread.process, thread)
        return 0
    }

    /// What `raise` and `abort` do: a thread sends itself a signal, which needs neither a look-up nor a permission. False
    /// if the numbers are not those of the caller, or the signal is to be lost if there is no room.
    @inline(__always)
    private static func sendToSelf(_ signal: Signal?, _ identifier: Int32, _ process: Int32?) -> Bool {
        LinuxTask.withCurrent { current in
            guard let signal, !signal.isRealTime, identifier == current.identifier else { return false }
            if let process, process != current.process.identifier { return false }
            let information = SignalInformation.sent(
                signal, code: SignalCode.threadKill, by: current.process.identifier,
                user: current.credentials.userID)
            current.process.send(information, toSelf: current)
            return true
        }
    }

    private static func thread(_ identifier: Int32, of process: Int32) throws(Errno) -> LinuxTask {
        guard identifier > 0, process > 0 else { throw .invalid }
        guard let thread = ProcessTable.task(identifier), thread.process.identifier == process else {
            throw .noSuchProcess
        }
        return thread
    }

    static func rt_sigqueueinfo(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let identifier = arguments.a0.asInt32
        let signal = try signal(arguments.a1)
        let information = try information(at: arguments.a2, signal, for: identifier, task)
        guard identifier > 0, let process = ProcessTable.task(identifier)?.process else {
            throw .noSuchProcess
        }
        try SignalSender(information).send(signal, to: process)
        return 0
    }

    static func rt_tgsigqueueinfo(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let signal = try signal(arguments.a2)
        let information = try information(at: arguments.a3, signal, for: arguments.a1.asInt32, task)
        let thread = try thread(arguments.a1.asInt32, of: arguments.a0.asInt32)
        try SignalSender(information).send(signal, to: thread.process, thread)
        return 0
    }

    /// What a program wants a signal to say. Only to itself may it pretend to be the kernel or `kill`.
    private static func information(
        at address: UInt, _ signal: Signal?, for identifier: Int32, _ task: borrowing TaskContext
    ) throws(Errno) -> SignalInformation {
        var information = try load(SignalInformation.self, from: address, task)
        information.number = Int32(signal?.number ?? 0)
        if information.code >= 0 || information.code == SignalCode.threadKill,
            LinuxTask.current.process.identifier != identifier
        {
            throw .notPermitted
        }
        return information
    }
}
