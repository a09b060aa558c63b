// Signals sent and not yet taken, of a thread or of a whole process.
//
// Invariants: a bit of `pending` is set as long as the signal waits to be taken; a record exists for
// each real-time signal sent and for the first of each standard signal that carried information. A bit
// without a record means that nobody told who sent it (`SI_KERNEL`). Records are made outside locks, so
// that nothing is allocated under them. Guarded by the lock of the process's signals.

public struct SignalQueue: ~Copyable {
    public private(set) var pending = SignalSet()
    private var first: SignalRecord?
    private var last: SignalRecord?

    public init() {}

    /// True if another instance of this standard signal would be lost, as POSIX has it.
    @inline(__always)
    public func absorbs(_ signal: Signal) -> Bool { !signal.isRealTime && pending.contains(signal) }

    /// Sets the signal pending without information: constant time, any context.
    @inline(__always)
    public mutating func insert(_ signal: Signal) { pending.insert(signal) }

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

    /// Takes the oldest instance of a pending signal. Linear in the number of records.
    public mutating func take(_ signal: Signal) -> (information: SignalInformation, record: SignalRecord?) {
        var previous: SignalRecord?
        var each = first
        while let record = each, record.information.signal != signal {
            previous = record
            each = record.next
        }
        guard let record = each else {
            pending.remove(signal)
            return (.kernel(signal), nil)
        }
        unlink(record, after: previous)
        if !holds(signal) { pending.remove(signal) }
        return (record.information, record)
    }

    /// Drops the pending signals of a set; returns the chain of their records, to be released outside
    /// the lock.
    public mutating func remove(_ signals: SignalSet) -> SignalRecord? {
        guard !pending.isDisjoint(with: signals) else { return nil }
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
