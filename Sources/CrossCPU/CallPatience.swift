// How long a sender waits in silence.

import Machine

struct CallPatience {
    /// Looks at the node between two looks at the clock.
    static let turns = 512

    private let start = CycleClock.now
    /// How long until the next report: each takes twice as long to come.
    private var silence = CrossCPU.waitLimit

    var waited: UInt64 { CycleClock.now &- start }
    var isOver: Bool { waited >= silence }

    mutating func renew() { silence = silence &* 2 }
}
