// Timers for ordinary programs: payloads that come out when their tick has come, handles that can do no harm.
//
// Each timer has a place in a chunk of memory that is never moved or given back before the wheel's end: a header (the
// node of the `IntrusiveTimerWheel` and the timer's identity) and the payload. The identity is the place's number and a
// generation that changes whenever a timer leaves; a handle is a copy of it. So a handle to a timer that has expired or was
// cancelled is recognised, and one from another wheel at worst names a timer here, as a stale index of an array would.

/// Any number of timers, each with a payload that comes out of the wheel when its tick has come.
///
/// Time is a number of 64 bits, in ticks of whatever length the owner likes; the wheel reads no clock. Expiry is exact,
/// whatever the distance: a timer for tick 1,000 comes out of `popExpired(through: 1000)` and not of
/// `popExpired(through: 999)`. Timers come out in order of their ticks, and those of one tick in the order in which they
/// were set to it.
///
/// ```swift
/// var timeouts = TimerWheel<Connection>()
/// let handle = timeouts.insert(connection, at: now + 30_000)
/// timeouts.reschedule(handle, to: now + 60_000)
/// while let connection = timeouts.popExpired(through: now) { connection.close() }
/// sleep(until: timeouts.nextExpiry)
/// ```
///
/// ## Cost
///
/// | operation | time |
/// |---|---|
/// | `insert`, `reschedule`, `cancel` | constant, whatever the number of timers |
/// | `popExpired` | constant for each timer that comes out, and for each level that it passed: its distance's logarithm by 64, at most 10 |
/// | `popExpired` that returns nil | constant: one comparison, if the time for the next one has not come |
/// | `nextExpiry` | constant: at most eleven words are looked at |
///
/// Timers of far ticks move on in bunches: a single `popExpired` may move as many timers as share 64, 4,096, … ticks. Where
/// that is too long at once (interrupt handlers, a lock that others wait for) `IntrusiveTimerWheel` does it in portions.
///
/// ## Capacity
///
/// A wheel takes 24 KB, and 32 bytes and the payload for each timer that was ever pending at a time; memory is
/// allocated for 1,024 timers at a time and kept until the wheel's end. There can be 2^32 timers at a time.
///
/// ## When not to use it
///
/// For a handful of timers a sorted array is smaller. Where few timers are cancelled and all are taken out in order, a
/// heap does about as well and needs no ticks. A wheel finds what comes next, but not what comes after that: it cannot be
/// enumerated in order without taking timers out. It has no lock: one thread at a time, or an actor.
@safe public struct TimerWheel<Payload: ~Copyable>: ~Copyable {
    /// Names a timer until it expires or is cancelled; then it names nothing.
    public struct Handle: Hashable, Sendable {
        @usableFromInline let identity: UInt64

        @inlinable init(identity: UInt64) { self.identity = identity }
    }

    /// In front of each payload.
    @unsafe @frozen @usableFromInline struct Header {
        // First, so that the node's address is the header's.
        @usableFromInline var node = unsafe TimerNode()
        /// Generation above, number of the place below.
        @usableFromInline var identity: UInt64
        @inlinable init(identity: UInt64) { unsafe self.identity = identity }
    }

    @usableFromInline var wheel: IntrusiveTimerWheel
    @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    @usableFromInline var chunkCount = 0
    @usableFromInline var chunkCapacity = 0
    /// Places that were made: the chunks' numbers are below.
    @usableFromInline var places = 0
    /// The first free place; the next one is where its node's `previous` points.
    @usableFromInline var free: UnsafeMutablePointer<TimerLink>? = nil
    /// How many timers are pending.
    public var count: Int { timers }
    @usableFromInline var timers = 0

    @inlinable static var placesPerChunk: Int { 1024 }

    @inlinable
    static var payloadOffset: Int {
        let alignment = MemoryLayout<Payload>.alignment
        return (unsafe MemoryLayout<Header>.size + alignment - 1) & ~(alignment - 1)
    }

    @inlinable
    static var stride: Int {
        let alignment = max(MemoryLayout<Payload>.alignment, unsafe MemoryLayout<Header>.alignment)
        return (payloadOffset + MemoryLayout<Payload>.size + alignment - 1) & ~(alignment - 1)
    }

    /// An empty wheel, whose first tick is `tick`.
    public init(startingAt tick: UInt64 = 0) {
        unsafe wheel = unsafe IntrusiveTimerWheel(startingAt: tick)
        unsafe chunks = .allocate(capacity: 0)
    }

    deinit {
        for place in 0..<places {
            let header = unsafe header(place)
            if unsafe header.pointee.node.isPending { unsafe Self.payload(header).deinitialize(count: 1) }
        }
        for index in 0..<chunkCount { unsafe chunks[index].deallocate() }
        unsafe chunks.deallocate()
    }

    @inlinable public var isEmpty: Bool { count == 0 }

    /// A tick before which no timer expires: that of the next timer, or an earlier one if timers were cancelled or
    /// rescheduled since that would have come before it. nil without timers. Worth sleeping until: `popExpired` finds
    /// something to do then, and the following answer is closer to the truth.
    @inlinable public var nextExpiry: UInt64? { unsafe wheel.nextExpiry }

    /// Makes room for `capacity` timers, so that inserting these allocates nothing.
    public mutating func reserveCapacity(_ capacity: Int) {
        while places < capacity { addChunk() }
    }
}

extension TimerWheel where Payload: ~Copyable {
    @inlinable @inline(__always)
    func header(_ place: Int) -> UnsafeMutablePointer<Header> {
        // The caller has checked that the place exists.
        let chunk = unsafe chunks[place &>> 10]
        return unsafe (chunk + (place & 1023) &* Self.stride).assumingMemoryBound(to: Header.self)
    }

    @inlinable @inline(__always)
    static func payload(_ header: UnsafeMutablePointer<Header>) -> UnsafeMutablePointer<Payload> {
        // Behind the header, within its place.
        unsafe (UnsafeMutableRawPointer(header) + payloadOffset).assumingMemoryBound(to: Payload.self)
    }

    @inlinable @inline(__always)
    static func node(_ header: UnsafeMutablePointer<Header>) -> IntrusiveTimerWheel.Pointer {
        // The header's first field.
        unsafe UnsafeMutableRawPointer(header).assumingMemoryBound(to: TimerNode.self)
    }

    /// The timer that the handle names, nil if it is gone.
    @inlinable @inline(__always)
    func header(of handle: Handle) -> UnsafeMutablePointer<Header>? {
        let place = Int(truncatingIfNeeded: UInt32(truncatingIfNeeded: handle.identity))
        guard place < places else { return nil }
        let header = unsafe header(place)
        return unsafe header.pointee.identity == handle.identity ? header : nil
    }

    @inlinable @inline(never)
    mutating func addChunk() {
        precondition(places + Self.placesPerChunk <= 1 << 32, "too many timers")
        if chunkCount == chunkCapacity { growTable() }
        let alignment = max(MemoryLayout<Payload>.alignment, 16)
        let chunk = UnsafeMutableRawPointer.allocate(
            byteCount: Self.placesPerChunk * Self.stride, alignment: alignment)
        unsafe (chunks + chunkCount).initialize(to: chunk)
        chunkCount += 1
        places += Self.placesPerChunk
        // Lowest numbers first.
        for place in ((places - Self.placesPerChunk)..<places).reversed() {
            let header = unsafe header(place)
            unsafe header.initialize(to: Header(identity: UInt64(place)))
            unsafe release(header)
        }
    }

    @inlinable
    mutating func growTable() {
        chunkCapacity = max(chunkCapacity * 2, 8)
        let table = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: chunkCapacity)
        unsafe table.moveInitialize(from: chunks, count: chunkCount)
        unsafe chunks.deallocate()
        unsafe chunks = unsafe table
    }

    /// Makes the place free, whose node is in no list.
    @inlinable @inline(__always)
    mutating func release(_ header: UnsafeMutablePointer<Header>) {
        let link = unsafe IntrusiveTimerWheel.link(of: Self.node(header))
        unsafe link.pointee.previous = free
        unsafe free = unsafe link
    }

    /// Ends the timer, whose node is in no list any more: its handle names nothing, its place is free.
    @inlinable @inline(__always)
    mutating func retire(_ header: UnsafeMutablePointer<Header>) -> Payload {
        unsafe header.pointee.identity &+= 1 << 32
        unsafe release(header)
        timers &-= 1
        return unsafe Self.payload(header).move()
    }
}

extension TimerWheel: @unchecked Sendable where Payload: Sendable & ~Copyable {}
