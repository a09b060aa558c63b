// How long a sender waits in silence.

import Machine

struct CallPatience {
    /// Looks at the node between two looks at the clock.
    static let turns = 512
    /// Nanoseconds after which a receiver is reported; each further report takes twice as long to come.
    nonisolated(unsafe) static var limit: UInt64 = 5_000_000_000

    private let start = CycleClock.now
    private var silence = unsafe CallPatience.limit

    var waited: UInt64 { CycleClock.now &- start }
    var isOver: Bool { waited >= silence }

    mutating func renew() { silence = silence &* 2 }
}
