// A pipe (pipe(7)): bytes in order from those who write to those who read.
//
// The mutex guards the ring and is held while bytes are copied to and from programs; it sleeps, so nobody waits for
// something under it. Who finds the pipe empty or full lets go of it, waits for `available` to change, and tries again.
// `available` and the numbers of ends are atomics for those conditions and for poll; the numbers change under `ends`.

import Primitives
import Synchronization
import Tasks

final class Pipe: @unchecked Sendable {
    /// A write of at most so many bytes is not torn apart (PIPE_BUF).
    static let atomicSize = 4096
    static let defaultPages = 16
    /// The largest pipe for the unprivileged (`/proc/sys/fs/pipe-max-size`).
    static let maximumSize = 1 << 20

    private let ring: Tasks.Mutex<PipeRing>
    /// Bytes in the ring; changed with the mutex held.
    private let available = Atomic<Int>(0)
    private let capacity: Atomic<Int>
    private let readers: Atomic<Int>
    private let writers: Atomic<Int>
    /// Guards the numbers of ends. Task context; nothing sleeps under it.
    private let ends = SpinLock(())
    /// How often an end was opened: who opens a FIFO waits for the other's to change.
    private let readerOpenings = Atomic<UInt32>(0)
    private let writerOpenings = Atomic<UInt32>(0)
    private let readQueue = WaitQueue()
    private let writeQueue = WaitQueue()
    private let openQueue = WaitQueue()

    /// A pipe whose ends are not open, or each once.
    init(pages: Int = Pipe.defaultPages, isOpen: Bool = false) {
        ring = Tasks.Mutex(PipeRing(pages: pages))
        capacity = Atomic(pages << 12)
        readers = Atomic(isOpen ? 1 : 0)
        writers = Atomic(isOpen ? 1 : 0)
    }

    // MARK: State

    var byteCount: Int { available.load(ordering: .acquiring) }
    var size: Int { capacity.load(ordering: .relaxed) }
    var hasReaders: Bool { readers.load(ordering: .acquiring) > 0 }
    var hasWriters: Bool { writers.load(ordering: .acquiring) > 0 }
    private var room: Int { size &- byteCount }

    // MARK: Reading and writing

    /// Reads what is there, or waits for it; 0 once nobody can write any more.
    func read(
        into buffer: inout IOBuffer, isNonBlocking: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        if buffer.isEmpty { return 0 }
        while true {
            if let count = try readOnce(into: &buffer, task) { return count }
            if isNonBlocking { throw .tryAgain }
            try readQueue.wait(task, exclusive: true) { byteCount > 0 || !hasWriters }
        }
    }

    /// Nil when there is nothing yet.
    @inline(__always)
    private func readOnce(into buffer: inout IOBuffer, _ task: borrowing TaskContext) throws(Errno) -> Int? {
        if byteCount == 0 {
            if hasWriters { return nil }
            // Nobody writes any more; what the last one wrote counts.
            if byteCount == 0 { return 0 }
        }
        let count = try ring.withLock(task) { (ring) throws(Errno) -> Int in
            let count = try ring.drain(into: &buffer, task)
            available.store(ring.count, ordering: .releasing)
            return count
        }
        // Another reader was faster.
        guard count > 0 else { return nil }
        writeQueue.wakeOne()
        if byteCount > 0 { readQueue.wakeOne() }
        return count
    }

    /// Writes everything, waiting for room; EPIPE and SIGPIPE once nobody can read any more.
    func write(
        from buffer: inout IOBuffer, isNonBlocking: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var done = 0
        while !buffer.isEmpty {
            do throws(Errno) {
                done &+= try writeSome(from: &buffer, isNonBlocking: isNonBlocking, task)
            } catch {
                if error == .brokenPipe { Caller.raise(.pipe) }
                guard done > 0 else { throw error }
                return done
            }
        }
        return done
    }

    private func writeSome(
        from buffer: inout IOBuffer, isNonBlocking: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        // The rest of a large write may be torn apart, a small one not.
        let needed = buffer.remaining <= Self.atomicSize ? buffer.remaining : 1
        while true {
            guard hasReaders else { throw .brokenPipe }
            if room >= needed {
                let count = try ring.withLock(task) { (ring) throws(Errno) -> Int in
                    guard ring.room >= needed else { return 0 }
                    let count = try ring.fill(from: &buffer, task)
                    available.store(ring.count, ordering: .releasing)
                    return count
                }
                if count > 0 {
                    readQueue.wakeOne()
                    if room > 0 { writeQueue.wakeOne() }
                    return count
                }
            }
            if isNonBlocking { throw .tryAgain }
            try writeQueue.wait(task, exclusive: true) { room >= needed || !hasReaders }
        }
    }

    // MARK: Size

    /// Sets the size, rounded up to a power of two of pages; returns it.
    func setSize(_ bytes: Int, _ task: borrowing TaskContext) throws(Errno) -> Int {
        guard bytes > 0, bytes <= 1 << 30 else { throw .invalid }
        var pages = 1
        while pages << 12 < bytes { pages <<= 1 }
        guard pages << 12 <= Self.maximumSize || Caller.credentials.isPrivileged else { throw .notPermitted }
        // What one piece of the kernel's heap can describe.
        guard pages <= 1 << 14 else { throw .noMemory }
        try ring.withLock(task) { (ring) throws(Errno) in
            try ring.resize(pages: pages)
            capacity.store(pages << 12, ordering: .relaxed)
        }
        writeQueue.wakeAll()
        return pages << 12
    }

    // MARK: Ends

    /// What an opener found as its own end began to count.
    struct Opening {
        /// Somebody had the other end open.
        let hadReaders: Bool
        let hadWriters: Bool
        /// How often each end had been opened.
        let readerOpenings: UInt32
        let writerOpenings: UInt32

        /// Of the two ends that a pipe without a name begins with.
        static let first = Opening(
            hadReaders: false, hadWriters: false, readerOpenings: 0, writerOpenings: 0)
    }

    /// One more end; the other side's openers go on. Nil, and nothing done, if contents from before the last end was closed
    /// have to be thrown away first.
    ///
    /// Who was there and the end that counts are one step: an opener of the other side, which goes on as soon as it
    /// sees this end, may be gone again before this one looks.
    func open(reads: Bool, writes: Bool) -> Opening? {
        let opening: Opening? = ends.withLock { _ in
            guard !isStale.load(ordering: .relaxed) else { return nil }
            let opening = Opening(
                hadReaders: hasReaders, hadWriters: hasWriters,
                readerOpenings: readerOpenings.load(ordering: .relaxed),
                writerOpenings: writerOpenings.load(ordering: .relaxed))
            if reads {
                readers.wrappingAdd(1, ordering: .releasing)
                readerOpenings.wrappingAdd(1, ordering: .releasing)
            }
            if writes {
                writers.wrappingAdd(1, ordering: .releasing)
                writerOpenings.wrappingAdd(1, ordering: .releasing)
            }
            return opening
        }
        openQueue.wakeAll()
        return opening
    }

    /// One end less. Does not sleep.
    func close(reads: Bool, writes: Bool) {
        ends.withLock { _ in
            if reads { readers.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
            if writes { writers.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
            // What nobody can read any more does not wait for the next who opens a FIFO.
            if !hasReaders, !hasWriters { isStale.store(true, ordering: .releasing) }
        }
        readQueue.wakeAll()
        writeQueue.wakeAll()
    }

    /// The contents are from before the last end was closed. Becomes true under `ends`, and no end counts as long as it is.
    private let isStale = Atomic<Bool>(false)

    /// Throws away what is left from before; called by who opens a FIFO, before its end counts.
    func discardIfStale(_ task: borrowing TaskContext) {
        guard isStale.load(ordering: .acquiring) else { return }
        ring.withLock(task) { ring in
            guard isStale.load(ordering: .acquiring) else { return }
            ring.discard()
            available.store(0, ordering: .releasing)
            isStale.store(false, ordering: .releasing)
        }
    }

    /// Waits until the other side has been opened since: a reader for a writer, a writer for a reader.
    func waitForOther(reads: Bool, since opening: Opening, _ task: borrowing TaskContext) throws(Errno) {
        let before = reads ? opening.writerOpenings : opening.readerOpenings
        try openQueue.wait(task) {
            before != (reads ? writerOpeningCount : readerOpenings.load(ordering: .acquiring))
        }
    }

    /// How often the writing end has been opened.
    var writerOpeningCount: UInt32 { writerOpenings.load(ordering: .acquiring) }

    // MARK: Poll

    /// `hadWriter`: the reader has seen a writer, so none means that the end is reached.
    func poll(reads: Bool, writes: Bool, hadWriter: Bool, _ table: PollTable?) -> PollEvents {
        if let table {
            if reads { table.register(readQueue, of: self) }
            if writes { table.register(writeQueue, of: self) }
        }
        var events: PollEvents = []
        if reads {
            if byteCount > 0 { events.formUnion(.readable) }
            if !hasWriters, hadWriter { events.insert(.hangUp) }
        }
        if writes {
            if room >= Self.atomicSize { events.formUnion(.writable) }
            if !hasReaders { events.insert(.error) }
        }
        return events
    }
}
