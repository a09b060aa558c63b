// Handing out what has expired.

extension IntrusiveTimerWheel {
    /// Takes out and returns one timer that expires at `tick` or before; nil if there is none. In order of expiry, and those
    /// of one tick in the order in which they got that expiry. The timer is the caller's then: it may be added again (not
    /// before the next tick) or freed, and any other may be added, moved or removed before the next call.
    ///
    /// - Parameter limit: after so many timers moved to lower levels it returns nil with `isUnfinished` set, for callers
    ///   that hold a lock and have to let others in; then call again. Timers that are added meanwhile for a tick of timers
    ///   that still have to move may overtake these.
    @inlinable @inline(__always)
    public mutating func popExpired(through tick: UInt64, limit: Int = .max) -> Pointer? {
        if unsafe tick < bound { return nil }
        return unsafe popDue() ?? findExpired(tick, limit)
    }

    /// The first of the timers that are due.
    @inlinable @inline(__always)
    mutating func popDue() -> Pointer? {
        let head = unsafe storage.due
        let first = unsafe head.pointee.next.unsafelyUnwrapped
        if unsafe first == head { return nil }
        let next = unsafe first.pointee.next.unsafelyUnwrapped
        unsafe head.pointee.next = next
        unsafe next.pointee.previous = head
        unsafe first.pointee.next = nil
        return unsafe Self.node(of: first)
    }

    /// The next timer, if it has expired. None is due.
    @usableFromInline @inline(never)
    mutating func findExpired(_ tick: UInt64, _ limit: Int) -> Pointer? {
        if unsafe isUnfinished { return unsafe workOff(tick, limit) }
        guard let slot = unsafe storage.findFirst() else { return unsafe endSearch() }
        // The usual case where timers are rarer than ticks.
        if let only = unsafe onlyTimer(in: slot) { return unsafe take(only, tick) }
        return unsafe workOff(tick, limit)
    }

    /// Works off slots until a timer is due or none has expired. None is due before.
    @inline(never)
    private mutating func workOff(_ tick: UInt64, _ limit: Int) -> Pointer? {
        while true {
            if unsafe isUnfinished {
                if unsafe !cascade(limit) { return nil }
                if let node = unsafe popDue() {
                    unsafe closeTick()
                    return unsafe node
                }
            }
            guard let slot = unsafe storage.findFirst() else { return unsafe endSearch() }
            if let only = unsafe onlyTimer(in: slot) { return unsafe take(only, tick) }
            // In a slot, so not below `base`.
            let first = unsafe WheelStorage.earliest(slot).pointee
            unsafe bound = first
            if first > tick { return nil }
            unsafe goOn(to: first)
            if unsafe storage.isOfOneTick(slot) {
                unsafe splice(slot, storage.due)
                unsafe closeTick()
                return unsafe popDue()
            }
            unsafe splice(slot, storage.moving)
        }
    }

    /// There are no timers.
    @inline(__always)
    private mutating func endSearch() -> Pointer? {
        unsafe bound = .max
        return nil
    }

    /// The timer of a slot with only one.
    @inline(__always)
    private func onlyTimer(in slot: Link) -> Pointer? {
        let first = unsafe slot.pointee.next.unsafelyUnwrapped
        return unsafe first == slot.pointee.previous.unsafelyUnwrapped ? Self.node(of: first) : nil
    }

    /// Takes out the timer that expires before all others and is alone in its slot, if it has expired.
    @inline(__always)
    private mutating func take(_ node: Pointer, _ tick: UInt64) -> Pointer? {
        let expiry = unsafe node.pointee.expiry
        let slot = unsafe node.pointee.link.next.unsafelyUnwrapped
        if expiry > tick {
            unsafe bound = expiry
            unsafe WheelStorage.earliest(slot).pointee = expiry
            return nil
        }
        unsafe goOn(to: expiry)
        unsafe closeTick()
        unsafe node.pointee.link.next = nil
        unsafe slot.pointee = unsafe TimerLink(next: slot, previous: slot)
        unsafe WheelStorage.vacate(slot)
        return unsafe node
    }

    /// Makes `tick`, before which no timers are left, the wheel's.
    @inline(__always)
    private mutating func goOn(to tick: UInt64) {
        unsafe base = tick
        unsafe floor = tick
        unsafe bound = tick
    }

    /// Timers of this tick are handed out: what is added from here on expires later.
    @inline(__always)
    private mutating func closeTick() {
        unsafe floor = base == .max ? .max : base &+ 1
    }

    /// Moves the ring of a slot to a head without one.
    @inline(__always)
    private func splice(_ slot: Link, _ target: Link) {
        let first = unsafe slot.pointee.next.unsafelyUnwrapped
        let last = unsafe slot.pointee.previous.unsafelyUnwrapped
        unsafe target.pointee = unsafe TimerLink(next: first, previous: last)
        unsafe first.pointee.previous = target
        unsafe last.pointee.next = target
        unsafe slot.pointee = unsafe TimerLink(next: slot, previous: slot)
        unsafe WheelStorage.vacate(slot)
    }

    /// Puts the timers that are moving where they belong now: those of tick `base` are due.
    /// - Returns: whether all are done.
    @inline(__always)
    private mutating func cascade(_ limit: Int) -> Bool {
        let (head, due) = unsafe (storage.moving, storage.due)
        let base = unsafe base
        let end = unsafe limit == .max ? head : moving(behind: limit)
        var next = unsafe head.pointee.next.unsafelyUnwrapped
        repeat {
            let node = unsafe Self.node(of: next)
            unsafe next = unsafe next.pointee.next.unsafelyUnwrapped
            let expiry = unsafe node.pointee.tick
            if expiry == base {
                unsafe Self.append(node, due)
            } else {
                _ = unsafe link(node, expiry)
            }
        } while unsafe next != end
        // The ring of the others, or an empty one.
        unsafe head.pointee.next = next
        unsafe next.pointee.previous = head
        return unsafe next == head
    }

    /// The timer behind the first `limit` of those that are moving, or their head if there are no more.
    @inline(never)
    private func moving(behind limit: Int) -> Link {
        let head = unsafe storage.moving
        var next = unsafe head.pointee.next.unsafelyUnwrapped
        var left = max(limit, 1)
        while left > 0, unsafe next != head {
            unsafe next = unsafe next.pointee.next.unsafelyUnwrapped
            left -= 1
        }
        return unsafe next
    }
}
