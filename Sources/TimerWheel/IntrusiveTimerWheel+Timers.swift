// Putting timers into the wheel and taking them out.
//
// All pointers here lead to heads, which live as long as the wheel, or to pending nodes, which their owners keep in place.

extension IntrusiveTimerWheel {
    /// Makes a timer that is not pending expire at `tick`, or at the next tick that is not over. Its expiry is exact: it is
    /// handed out by the first `popExpired(through:)` with that tick or a later one.
    /// - Returns: whether something is now to be done earlier than `updateNextExpiry` or `popExpired` has found last, or
    ///   `add` has said since: at this timer's expiry.
    @inlinable @inline(__always) @discardableResult
    public mutating func add(_ node: Pointer, at tick: UInt64) -> Bool {
        let expiry = unsafe tick < floor ? floor : tick
        unsafe node.pointee.tick = expiry
        return unsafe link(node, expiry)
    }

    /// Moves a pending timer to another tick.
    /// - Returns: as `add`.
    @inlinable @inline(__always) @discardableResult
    public mutating func move(_ node: Pointer, to tick: UInt64) -> Bool {
        unsafe remove(node)
        return unsafe add(node, at: tick)
    }

    /// Takes out a pending timer, also one that is due and has not been handed out.
    @inlinable @inline(__always)
    public mutating func remove(_ node: Pointer) {
        let next = unsafe node.pointee.link.next.unsafelyUnwrapped
        let previous = unsafe node.pointee.link.previous.unsafelyUnwrapped
        unsafe previous.pointee.next = next
        unsafe next.pointee.previous = previous
        unsafe node.pointee.link.next = nil
        // Both neighbours are the ring's head: it was the last there.
        if unsafe next == previous { unsafe WheelStorage.vacate(next) }
    }

    /// Puts a node with its expiry, which is not below `base`, where it belongs.
    @inlinable @inline(__always)
    mutating func link(_ node: Pointer, _ expiry: UInt64) -> Bool {
        let (slot, earliest) = unsafe storage.occupy(expiry, base: base)
        unsafe Self.append(node, slot)
        if unsafe expiry >= earliest.pointee { return false }
        unsafe earliest.pointee = expiry
        if unsafe expiry >= bound { return false }
        unsafe bound = expiry
        return true
    }

    @inlinable @inline(__always)
    static func append(_ node: Pointer, _ head: Link) {
        let last = unsafe head.pointee.previous.unsafelyUnwrapped
        let link = unsafe link(of: node)
        unsafe link.pointee.next = head
        unsafe link.pointee.previous = last
        unsafe last.pointee.next = link
        unsafe head.pointee.previous = link
    }

    @inlinable @inline(__always)
    static func link(of node: Pointer) -> Link {
        // The link is the node's first field.
        unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: TimerLink.self)
    }

    @inlinable @inline(__always)
    static func node(of link: Link) -> Pointer {
        // Asked only for links in rings that are not heads.
        unsafe UnsafeMutableRawPointer(link).assumingMemoryBound(to: TimerNode.self)
    }
}

extension IntrusiveTimerWheel {
    /// Takes out any timer, expired or not; nil if there is none. For an owner who gives up the wheel.
    public mutating func removeAny() -> Pointer? {
        if unsafe !WheelStorage.isEmpty(storage.due) { return unsafe removeFirst(of: storage.due) }
        if unsafe isUnfinished { return unsafe removeFirst(of: storage.moving) }
        guard let slot = unsafe storage.findFirst() else {
            unsafe bound = .max
            return nil
        }
        return unsafe removeFirst(of: slot)
    }

    private mutating func removeFirst(of head: Link) -> Pointer {
        let node = unsafe Self.node(of: head.pointee.next.unsafelyUnwrapped)
        unsafe remove(node)
        return unsafe node
    }
}
