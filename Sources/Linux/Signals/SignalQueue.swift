// Signals sent and not yet taken, of a thread or of a whole process.
//
// Invariants: a bit of `pending` is set as long as the signal waits to be taken; a record exists for
// each real-time signal sent and for the first of each standard signal that carried information, but for one of those,
// which lies in the queue itself: most of the time one is all there is, and it needs no memory. A bit
// without information means that nobody told who sent it (`SI_KERNEL`). Records are made outside locks, so
// that nothing is allocated under them. Guarded by the lock of the process's signals.

@safe public struct SignalQueue: ~Copyable {
    public private(set) var pending = SignalSet()
    private var first: SignalRecord?
    private var last: SignalRecord?
    /// Information of one standard signal; number 0 while it is free.
    private var place = SignalInformation(number: 0, code: 0)
    /// Whose count of pending signals includes the one in `place`. Accounts live for ever.
    private var placeAccount: Unmanaged<UserAccount>?

    public init() { unsafe placeAccount = nil }

    /// True if another instance of this standard signal would be lost, as POSIX has it.
    @inline(__always)
    public func absorbs(_ signal: Signal) -> Bool { !signal.isRealTime && pending.contains(signal) }

    /// Sets the signal pending without information: constant time, any context.
    @inline(__always)
    public mutating func insert(_ signal: Signal) { pending.insert(signal) }

    /// Sets a standard signal pending with its information, counted for the sender's user; false if there is no place
    /// for that without a record. Constant time, any context.
    @inline(__always)
    mutating func insert(_ information: SignalInformation, sender: LinuxTask?) -> Bool {
        guard place.number == 0, !information.signal.isRealTime else { return false }
        place = information
        unsafe placeAccount = sender?.accountReference
        // Lives for ever.
        unsafe placeAccount?._withUnsafeGuaranteedRef { $0.addSignal() }
        pending.insert(information.signal)
        return true
    }

    /// Appends a record, which is not in a queue. Constant time.
    public mutating func append(_ record: SignalRecord) {
        pending.insert(record.information.signal)
        if let tail = last { tail.next = record } else { first = record }
        last = record
    }

    /// The signal to take next of those not in `blocked`: first what an instruction raised, then by number.
    @inline(__always)
    public func next(notIn blocked: SignalSet) -> Signal? {
        let ready = pending - blocked
        guard !ready.isEmpty else { return nil }
        return (ready & .synchronous).first ?? ready.first
    }

    /// Takes the oldest instance of a pending signal; hands back its record, if it has one, to be released outside the
    /// lock. Linear in the number of records.
    @inline(__always)
    public mutating func take(_ signal: Signal, _ information: inout SignalInformation) -> SignalRecord? {
        if place.number == Int32(signal.number) {
            information = place
            emptyPlace()
            pending.remove(signal)
            return nil
        }
        return takeRecord(signal, &information)
    }

    @inline(never)
    private mutating func takeRecord(_ signal: Signal, _ information: inout SignalInformation)
        -> SignalRecord?
    {
        var previous: SignalRecord?
        var each = first
        while let record = each, record.information.signal != signal {
            previous = record
            each = record.next
        }
        guard let record = each else {
            pending.remove(signal)
            information = .kernel(signal)
            return nil
        }
        unlink(record, after: previous)
        if !holds(signal) { pending.remove(signal) }
        information = record.information
        return record
    }

    /// Drops the pending signals of a set; returns the chain of their records, to be released outside
    /// the lock.
    public mutating func remove(_ signals: SignalSet) -> SignalRecord? {
        guard !pending.isDisjoint(with: signals) else { return nil }
        if place.number != 0, signals.contains(place.signal) { emptyPlace() }
        var removed: SignalRecord?
        var previous: SignalRecord?
        var each = first
        while let record = each {
            each = record.next
            if signals.contains(record.information.signal) {
                unlink(record, after: previous)
                record.next = removed
                removed = record
            } else {
                previous = record
            }
        }
        pending = pending - signals
        return removed
    }

    @inline(__always)
    private mutating func emptyPlace() {
        place.number = 0
        // Lives for ever.
        unsafe placeAccount?._withUnsafeGuaranteedRef { $0.releaseSignal() }
    }

    private func holds(_ signal: Signal) -> Bool {
        var each = first
        while let record = each {
            if record.information.signal == signal { return true }
            each = record.next
        }
        return false
    }

    private mutating func unlink(_ record: SignalRecord, after previous: SignalRecord?) {
        if let previous { previous.next = record.next } else { first = record.next }
        if record.next == nil { last = previous }
        record.next = nil
    }
}
