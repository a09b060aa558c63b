// Times as programs pass them: `struct timespec`, `struct timeval` and pairs of them.

import Primitives

/// `struct timespec`.
struct TimeSpecification: Equatable {
    var seconds: Int64
    var nanoseconds: Int64

    init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(nanoseconds: UInt64) {
        seconds = Int64(nanoseconds / 1_000_000_000)
        self.nanoseconds = Int64(nanoseconds % 1_000_000_000)
    }

    /// As one number; times that do not fit (292 years) are for ever. Throws `.invalid` for a negative time
    /// or a second part that is none.
    func checked() throws(Errno) -> UInt64 {
        guard seconds >= 0, nanoseconds >= 0, nanoseconds < 1_000_000_000 else { throw .invalid }
        let whole = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let sum = whole.partialValue.addingReportingOverflow(UInt64(nanoseconds))
        return whole.overflow || sum.overflow || sum.partialValue > UInt64(Int64.max)
            ? UInt64.max : sum.partialValue
    }
}

/// `struct timeval`.
struct TimeValue: Equatable {
    var seconds: Int64
    var microseconds: Int64

    init(nanoseconds: UInt64) {
        seconds = Int64(nanoseconds / 1_000_000_000)
        microseconds = Int64(nanoseconds % 1_000_000_000 / 1000)
    }

    /// As nanoseconds; throws `.invalid` as `TimeSpecification.checked` does.
    func checked() throws(Errno) -> UInt64 {
        guard microseconds >= 0, microseconds < 1_000_000 else { throw .invalid }
        return try TimeSpecification(seconds: seconds, nanoseconds: microseconds * 1000).checked()
    }
}
