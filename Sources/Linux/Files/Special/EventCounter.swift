// A counter with a descriptor (eventfd(2)): writing adds to it, reading takes it, both wait if they must.

import Memory
import Primitives
import Synchronization
import Tasks

final class EventCounter: File, @unchecked Sendable {
    /// The largest value that a write may leave.
    private static let limit = UInt64.max - 1

    private let isSemaphore: Bool
    private let value: Atomic<UInt64>
    private let queue = WaitQueue()

    init(_ initial: UInt64, isSemaphore: Bool, _ flags: OpenFlags) {
        value = Atomic(initial)
        self.isSemaphore = isSemaphore
        super.init(AnonymousInode.shared, nil, flags.union(.readWrite))
    }

    override var isSeekable: Bool { false }
    override func describe() -> [UInt8] { [UInt8]("anon_inode:[eventfd]".utf8) }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard buffer.remaining >= 8 else { throw .invalid }
        let taken: UInt64
        if let now = take() {
            taken = now
        } else {
            if isNonBlocking { throw .tryAgain }
            taken = try queue.wait(task) { () throws(Errno) -> UInt64? in take() }
        }
        queue.wakeAll()
        return try unsafe withUnsafeBytes(of: taken) { (bytes) throws(Errno) in
            try unsafe buffer.put(from: bytes, task)
        }
    }

    /// What a read gets; nil while the counter is zero.
    private func take() -> UInt64? {
        var now = value.load(ordering: .acquiring)
        while now > 0 {
            let rest = isSemaphore ? now - 1 : 0
            let (done, original) = value.compareExchange(
                expected: now, desired: rest, ordering: .acquiringAndReleasing)
            if done { return now &- rest }
            now = original
        }
        return nil
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard buffer.remaining >= 8 else { throw .invalid }
        var added: UInt64 = 0
        buffer.shorten(to: 8)
        let count = try unsafe withUnsafeMutableBytes(of: &added) { (bytes) throws(Errno) in
            try unsafe buffer.take(to: bytes, task)
        }
        guard count == 8 else { throw .badAddress }
        guard added != .max else { throw .invalid }
        let more = added
        if !add(more) {
            if isNonBlocking { throw .tryAgain }
            try queue.wait(task) { add(more) }
        }
        queue.wakeAll()
        return 8
    }

    private func add(_ more: UInt64) -> Bool {
        var now = value.load(ordering: .acquiring)
        while more <= Self.limit - now {
            let (done, original) = value.compareExchange(
                expected: now, desired: now + more, ordering: .acquiringAndReleasing)
            if done { return true }
            now = original
        }
        return false
    }

    override func poll(_ table: PollTable?) -> PollEvents {
        table?.register(queue, of: self)
        let now = value.load(ordering: .acquiring)
        var events: PollEvents = []
        if now > 0 { events.insert(.input) }
        if now < Self.limit { events.insert(.output) }
        return events
    }
}

/// The one inode behind files that are nothing but a descriptor.
final class AnonymousInode: Inode, @unchecked Sendable {
    static let shared = AnonymousInode(PipeFileSystem.shared)

    private init(_ fileSystem: FileSystem) {
        super.init(fileSystem, number: 0, mode: FileMode(.anonymous, 0o600))
    }
}

extension SystemCalls {
    /// Flags of eventfd2(2).
    private static let semaphore: UInt32 = 1

    static func eventfd(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try makeEventCounter(arguments.a0.asUInt32, 0)
    }

    static func eventfd2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try makeEventCounter(arguments.a0.asUInt32, arguments.a1.asUInt32)
    }

    private static func makeEventCounter(_ initial: UInt32, _ flags: UInt32) throws(Errno) -> Int {
        let open = OpenFlags(rawValue: flags & ~semaphore)
        guard open.isSubset(of: [.closeOnExec, .nonBlocking]) else { throw .invalid }
        let file = EventCounter(
            UInt64(initial), isSemaphore: flags & semaphore != 0, open.subtracting(.closeOnExec))
        return Int(
            try LinuxTask.current.files.insert(
                file, limit: descriptorLimit, closeOnExec: open.contains(.closeOnExec)))
    }
}
