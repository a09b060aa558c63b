// What all processes of one user share: the counts that resource limits look at. One object per user
// identifier that is in use, found by a small hash table; objects live for ever, since there are few.

import Primitives
import Synchronization

public final class UserAccount: Sendable {
    public let identifier: UInt32
    /// Threads of this user, for RLIMIT_NPROC.
    let threads = Atomic<Int>(0)
    /// Records of pending signals, for RLIMIT_SIGPENDING.
    let pendingSignals = Atomic<Int>(0)

    private init(_ identifier: UInt32) { self.identifier = identifier }

    /// Task context, short sections.
    private static let table = SpinLock(Table())

    private struct Table: ~Copyable {
        var buckets = [[UserAccount]](repeating: [], count: 64)
    }

    /// The account of a user; made at first use.
    static func find(_ identifier: UInt32) -> UserAccount {
        table.withLock { table in
            let bucket = Int(identifier & 63)
            for account in table.buckets[bucket] where account.identifier == identifier { return account }
            let account = UserAccount(identifier)
            table.buckets[bucket].append(account)
            return account
        }
    }

    /// Counts one more pending signal, which takes no memory, whatever the limit.
    @inline(__always)
    func addSignal() { pendingSignals.wrappingAdd(1, ordering: .relaxed) }

    /// Counts one more pending signal unless that passes `limit`.
    func reserveSignal(limit: UInt64) -> Bool {
        let before = pendingSignals.wrappingAdd(1, ordering: .relaxed).oldValue
        guard UInt64(max(before, 0)) < limit else {
            releaseSignal()
            return false
        }
        return true
    }

    @inline(__always)
    func releaseSignal() { pendingSignals.wrappingSubtract(1, ordering: .relaxed) }
}
