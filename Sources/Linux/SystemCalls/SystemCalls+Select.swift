// select(2) and pselect6(2).

import Memory
import Primitives
import Tasks
import Time

extension SystemCalls {
    static func select(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        var deadline: Deadline?
        if arguments.a4 != 0 {
            deadline = .after(try UserPointer<TimeValue>(arguments.a4).load(task).lenient())
        }
        defer { storeRemaining(arguments.a4, deadline, task) }
        do throws(Errno) {
            return try select(arguments, deadline, task)
        } catch {
            throw error == .restartSystem ? .restartNoHandler : error
        }
    }

    private static func storeRemaining(_ address: UInt, _ deadline: Deadline?, _ task: borrowing TaskContext)
    {
        guard address != 0, let deadline else { return }
        let left = deadline.time == .max ? UInt64(Int64.max) : deadline.remaining
        _ = try? UserPointer<TimeValue>(address).store(TimeValue(nanoseconds: left), task)
    }

    static func pselect6(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let deadline = try deadline(arguments.a4, task)
        var mask: SignalSet?
        if arguments.a5 != 0 {
            // The sixth argument is a pair: where the mask is, and its size.
            let address = try UserPointer<UInt>(arguments.a5).load(task)
            let size = try UserPointer<UInt>(arguments.a5)[1].load(task)
            mask = try temporaryMask(address, size: size, task)
        }
        return try withTemporaryMask(mask, remaining: (arguments.a4, deadline), task) { () throws(Errno) in
            try select(arguments, deadline, task)
        }
    }

    private static func select(
        _ arguments: SystemCallArguments, _ deadline: Deadline?, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard arguments.a0.asInt32 >= 0 else { throw .invalid }
        let files = LinuxTask.current.files
        // Nobody has descriptors beyond the table.
        let count = min(Int(arguments.a0.asInt32), files.capacity)
        var sets = SelectSets(count: count)
        try sets.load((arguments.a1, arguments.a2, arguments.a3), task)
        let ready = try Polling.wait(until: deadline, task) { (table) throws(Errno) in
            try sets.ask(files, table)
        }
        try sets.store((arguments.a1, arguments.a2, arguments.a3), task)
        return ready
    }
}

/// Three sets of descriptors: asked about, and found ready.
private struct SelectSets {
    private let count: Int
    private var wanted: [[UInt64]]
    private var found: [[UInt64]]

    /// What each set asks for, and what counts as an answer.
    private static let questions: [(asks: PollEvents, answers: PollEvents)] = [
        (
            [.input, .normalInput, .bandInput, .hangUp, .error],
            [.input, .normalInput, .bandInput, .hangUp, .error]
        ),
        ([.output, .normalOutput, .bandOutput, .error], [.output, .normalOutput, .bandOutput, .error]),
        (.priority, .priority),
    ]

    init(count: Int) {
        self.count = count
        let none = [UInt64](repeating: 0, count: (count + 63) / 64)
        wanted = [none, none, none]
        found = wanted
    }

    mutating func load(_ addresses: (UInt, UInt, UInt), _ task: borrowing TaskContext) throws(Errno) {
        for (set, address) in [addresses.0, addresses.1, addresses.2].enumerated() where address != 0 {
            for word in wanted[set].indices {
                wanted[set][word] = try UserPointer<UInt64>(address)[word].load(task)
            }
            if count & 63 != 0 { wanted[set][count / 64] &= ~(~0 << UInt64(count & 63)) }
        }
    }

    mutating func store(_ addresses: (UInt, UInt, UInt), _ task: borrowing TaskContext) throws(Errno) {
        for (set, address) in [addresses.0, addresses.1, addresses.2].enumerated() where address != 0 {
            for word in found[set].indices {
                try UserPointer<UInt64>(address)[word].store(found[set][word], task)
            }
        }
    }

    /// Asks all files; returns how many bits are set in the answer. EBADF for a descriptor that is none.
    mutating func ask(_ files: DescriptorTable, _ table: PollTable?) throws(Errno) -> Int {
        var ready = 0
        for word in wanted[0].indices {
            var left = wanted[0][word] | wanted[1][word] | wanted[2][word]
            for set in 0..<3 { found[set][word] = 0 }
            while left != 0 {
                let bit = left & ~(left &- 1)
                let descriptor = word << 6 | left.trailingZeroBitCount
                left &= left &- 1
                let file = try files.file(Int32(truncatingIfNeeded: descriptor))
                let events = file.poll(ready > 0 ? nil : table)
                for set in 0..<3
                where wanted[set][word] & bit != 0 && !events.isDisjoint(with: Self.questions[set].answers) {
                    found[set][word] |= bit
                    ready += 1
                }
            }
        }
        return ready
    }
}

extension TimeValue {
    /// As nanoseconds; select takes microseconds beyond a second too.
    func lenient() throws(Errno) -> UInt64 {
        guard seconds >= 0, microseconds >= 0 else { throw .invalid }
        let (sum, overflow) = seconds.addingReportingOverflow(microseconds / 1_000_000)
        guard !overflow else { return .max }
        return try TimeSpecification(seconds: sum, nanoseconds: microseconds % 1_000_000 * 1000).checked()
    }
}
