// What programs do with timers.

extension TimerWheel where Payload: ~Copyable {
    /// Adds a timer that expires at `tick`; one for a tick that is over, or from which a timer has come out already, expires
    /// at the next tick after those.
    @inlinable @inline(__always)
    public mutating func insert(_ payload: consuming Payload, at tick: UInt64) -> Handle {
        if unsafe free == nil { addChunk() }
        // There is one now.
        let link = unsafe free.unsafelyUnwrapped
        unsafe free = unsafe link.pointee.previous
        let header = unsafe UnsafeMutableRawPointer(link).assumingMemoryBound(to: Header.self)
        unsafe Self.payload(header).initialize(to: payload)
        _ = unsafe wheel.add(Self.node(header), at: tick)
        timers &+= 1
        return unsafe Handle(identity: header.pointee.identity)
    }

    /// Moves a timer to another tick, earlier or later; false if it has expired or was cancelled.
    @inlinable @inline(__always) @discardableResult
    public mutating func reschedule(_ handle: Handle, to tick: UInt64) -> Bool {
        guard let header = unsafe header(of: handle) else { return false }
        _ = unsafe wheel.move(Self.node(header), to: tick)
        return true
    }

    /// Takes a timer out before it expires and returns its payload; nil if it has expired or was cancelled.
    @inlinable @inline(__always) @discardableResult
    public mutating func cancel(_ handle: Handle) -> Payload? {
        guard let header = unsafe header(of: handle) else { return nil }
        unsafe wheel.remove(Self.node(header))
        return unsafe retire(header)
    }

    /// Takes out the next timer that has expired at `tick`, and returns its payload; nil if there is none (any more). The
    /// payload may be inserted again, and any timer inserted, moved or cancelled, before the next call. A timer inserted
    /// meanwhile for the tick of one that came out, or before, expires at the tick after; so with one `tick`
    /// calling this until it returns nil comes to an end.
    @inlinable @inline(__always)
    public mutating func popExpired(through tick: UInt64) -> Payload? {
        guard let node = unsafe wheel.popExpired(through: tick) else { return nil }
        let header = unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: Header.self)
        return unsafe retire(header)
    }

    /// Whether the handle's timer is pending.
    @inlinable
    public func contains(_ handle: Handle) -> Bool { unsafe header(of: handle) != nil }

    /// The tick at which the handle's timer expires; nil if it has expired or was cancelled.
    @inlinable
    public func expiry(of handle: Handle) -> UInt64? {
        guard let header = unsafe header(of: handle) else { return nil }
        return unsafe header.pointee.node.expiry
    }
}
