// The wheel itself: timers in slots by their expiry, in levels of 64 slots, for owners who lay out their timers themselves
// (a kernel, an event loop). `TimerWheel` puts a safe face on it.
//
// Ticks are numbers of 64 bits, and a level stands for 6 of them: eleven levels. A timer's level is that of the highest bit
// in which its expiry differs from `base`, the tick up to which the wheel has been worked off; its slot there is what the
// expiry has in the six bits of that level. So:
//
// - the timers of a slot of level 0 expire at the same tick;
// - a slot of level L holds those of 64^L ticks in a row, and all timers in level L come before those in level L + 1;
// - within a level lower slots come first, and slots up to that of `base` are empty (in level 0: below it).
//
// The next timers are thus in the first occupied slot of the first level that has any: a look at eleven words of bits. When
// their time comes, `base` becomes the earliest expiry in that slot, and its timers move on into lower levels ("cascade"),
// each at most once a level. That earliest expiry is kept for each slot, so that nobody has to look before.
//
// Invariants: `base` never decreases; `earliest[slot]` is not above the expiry of any timer there, and equal to the lowest
// but after timers have left the slot while others remained; an empty slot has a clear bit and `.max`. `bound` is not above
// any expiry. While timers are `due` or `moving`, `bound` is at most `base`.

/// Timers ordered by 64-bit expiry ticks; links lie in the timers, so nothing is allocated after `init`. Adding, moving and
/// removing take constant time whatever the number of timers, expiry constant time per timer and level (at most 11, rarely
/// more than 3).
///
/// Unsafe: a node lies still while it is pending, is pending in one wheel at a time, and leaves it before its memory goes.
/// No locks: the owner sees to it that calls do not overlap.
@unsafe public struct IntrusiveTimerWheel: ~Copyable {
    public typealias Pointer = UnsafeMutablePointer<TimerNode>
    @usableFromInline typealias Link = UnsafeMutablePointer<TimerLink>

    @usableFromInline var storage: WheelStorage
    /// The tick up to which the wheel has been worked off.
    @usableFromInline var base: UInt64
    /// The first tick whose timers have not been handed out: later ones expire then.
    @usableFromInline var floor: UInt64
    /// Nothing is to be done before this tick.
    @usableFromInline var bound: UInt64 = .max

    /// An empty wheel, whose first tick is `tick`. Allocates 24 KB, once.
    public init(startingAt tick: UInt64 = 0) {
        unsafe storage = unsafe WheelStorage()
        unsafe base = tick
        unsafe floor = tick
    }

    deinit { unsafe storage.free() }

    /// Whether no timer is pending.
    public var isEmpty: Bool { unsafe storage.first == nil && !hasWork }

    /// A tick before which no timer expires, and at which it is worth to look: the earliest expiry itself unless a timer that
    /// shared its slot was removed (then at most that one's); nil without timers. Looks at eleven words at most.
    @inlinable
    public var nextExpiry: UInt64? {
        if unsafe hasWork { return unsafe base }
        guard let slot = unsafe storage.first else { return nil }
        return unsafe WheelStorage.earliest(slot).pointee
    }

    /// `nextExpiry`, for an owner who sets an alarm to it: from here on `add` tells when the alarm has to be earlier.
    @inlinable
    public mutating func updateNextExpiry() -> UInt64? {
        let next = unsafe nextExpiry
        unsafe bound = next ?? .max
        return next
    }

    @inlinable
    var hasWork: Bool { unsafe !WheelStorage.isEmpty(storage.due) || !WheelStorage.isEmpty(storage.moving) }

    /// Whether `popExpired` has stopped at its limit and is to be called again.
    @inlinable
    public var isUnfinished: Bool { unsafe !WheelStorage.isEmpty(storage.moving) }
}

/// What a timer of an `IntrusiveTimerWheel` carries in itself. Best its first field, so that it is found from its node.
@unsafe @frozen public struct TimerNode {
    // First, so that a link's address is its node's.
    @usableFromInline var link = unsafe TimerLink()
    /// The tick at which it expires, or expired last. A later one than was asked for if that was over already.
    public var expiry: UInt64 { unsafe tick }
    @usableFromInline var tick: UInt64 = 0

    @inlinable public init() {}

    /// Whether it is in a wheel.
    @inlinable
    public var isPending: Bool { unsafe link.next != nil }
}
