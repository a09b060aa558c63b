// poll(2) and ppoll(2).

import Memory
import Primitives
import Tasks
import Time

/// `struct pollfd`.
struct PollDescriptor: BitwiseCopyable {
    var descriptor: Int32
    var events: UInt16
    var returned: UInt16
}

/// A poll that a signal interrupted, with its end.
struct PollRequest {
    let address: UInt
    let count: Int
    let deadline: Deadline?
}

extension SystemCalls {
    static func poll(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let milliseconds = arguments.a2.asInt32
        let deadline = milliseconds < 0 ? nil : Deadline.after(UInt64(milliseconds) * 1_000_000)
        let count = try pollCount(arguments.a1)
        return try poll(PollRequest(address: arguments.a0, count: count, deadline: deadline), task)
    }

    /// Also where `restart_syscall` goes on.
    static func poll(_ request: PollRequest, _ task: borrowing TaskContext) throws(Errno) -> Int {
        do throws(Errno) {
            return try pollOnce(request, task)
        } catch {
            guard error == .restartSystem else { throw error }
            LinuxTask.current.restart = .poll(request)
            throw .restartBlock
        }
    }

    static func ppoll(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let deadline = try deadline(arguments.a2, task)
        let mask = try temporaryMask(arguments.a3, size: arguments.a4, task)
        let request = PollRequest(
            address: arguments.a0, count: try pollCount(arguments.a1), deadline: deadline)
        return try withTemporaryMask(mask, remaining: (arguments.a2, deadline), task) { () throws(Errno) in
            try pollOnce(request, task)
        }
    }

    private static func pollCount(_ argument: UInt) throws(Errno) -> Int {
        guard argument.asUInt32 <= UInt32(descriptorLimit) else { throw .invalid }
        return Int(argument.asUInt32)
    }

    private static func pollOnce(_ request: PollRequest, _ task: borrowing TaskContext) throws(Errno) -> Int {
        let pointer = UserPointer<PollDescriptor>(request.address)
        var polled: [PollDescriptor] = []
        polled.reserveCapacity(request.count)
        for index in 0..<request.count { polled.append(try pointer[index].load(task)) }
        let files = LinuxTask.current.files
        let ready = try Polling.wait(until: request.deadline, task) { (table) throws(Errno) in
            var ready = 0
            for index in polled.indices {
                let item = polled[index]
                var found: PollEvents = []
                if item.descriptor >= 0 {
                    found = Polling.events(
                        item.descriptor, PollEvents(rawValue: UInt32(item.events)), files,
                        ready > 0 ? nil : table)
                }
                polled[index].returned = UInt16(truncatingIfNeeded: found.rawValue)
                if !found.isEmpty { ready += 1 }
            }
            return ready
        }
        for index in polled.indices {
            let returned = UserPointer<UInt16>(pointer[index].address &+ 6)
            try returned.store(polled[index].returned, task)
        }
        return ready
    }

    // MARK: What ppoll, pselect6 and epoll_pwait share

    /// The end of a wait given as `struct timespec *`; nil for no end.
    static func deadline(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) -> Deadline? {
        guard address != 0 else { return nil }
        return .after(try UserPointer<TimeSpecification>(address).load(task).checked())
    }

    /// A mask of signals to have while waiting; nil to keep the mask.
    static func temporaryMask(
        _ address: UInt, size: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> SignalSet? {
        guard address != 0 else { return nil }
        guard size == signalSetSize else { throw .invalid }
        return SignalSet(bits: try UserPointer<UInt64>(address).load(task))
    }

    /// Waits with another mask of signals, and stores how much time is left. If a signal ended the wait, its
    /// handler runs with that mask and the old one comes back afterwards.
    static func withTemporaryMask(
        _ mask: SignalSet?, remaining: (address: UInt, deadline: Deadline?), _ task: borrowing TaskContext,
        _ body: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let current = LinuxTask.current
        if let mask { current.setTemporaryMask(mask) }
        let result: Int
        do throws(Errno) {
            result = try body()
        } catch {
            storeRemaining(remaining.address, remaining.deadline, task)
            guard error == .restartSystem else {
                if mask != nil { current.restoreSavedMask() }
                throw error
            }
            throw .restartNoHandler
        }
        if mask != nil { current.restoreSavedMask() }
        storeRemaining(remaining.address, remaining.deadline, task)
        return result
    }

    /// A time that cannot be stored is no reason to forget what was found.
    private static func storeRemaining(_ address: UInt, _ deadline: Deadline?, _ task: borrowing TaskContext)
    {
        guard address != 0, let deadline else { return }
        let left = deadline.time == .max ? UInt64(Int64.max) : deadline.remaining
        _ = try? UserPointer<TimeSpecification>(address).store(TimeSpecification(nanoseconds: left), task)
    }
}
