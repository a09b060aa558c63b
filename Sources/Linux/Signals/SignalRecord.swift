// The record of one pending signal, and chains of them on their way to be released.

/// One signal that waits, with its information. Linked into one queue at most.
public final class SignalRecord {
    public var information: SignalInformation
    var next: SignalRecord?
    /// Whose RLIMIT_SIGPENDING this record counts against; nil for the kernel's own.
    var account: UserAccount?

    public init(_ information: SignalInformation, account: UserAccount? = nil) {
        self.information = information
        self.account = account
    }

    deinit { account?.releaseSignal() }

    /// A record for a signal that `sender` sends, or the kernel; nil if the sender's user has too many.
    static func make(_ information: SignalInformation, sender: LinuxTask?) -> SignalRecord? {
        guard let sender else { return SignalRecord(information) }
        let account = sender.account
        guard account.reserveSignal(limit: sender.process.limit(.pendingSignals)) else { return nil }
        return SignalRecord(information, account: account)
    }

    /// Puts the records of `chain` in front of `other`.
    static func join(_ chain: SignalRecord?, to other: inout SignalRecord?) {
        var each = chain
        while let record = each {
            each = record.next
            record.next = other
            other = record
        }
    }

    /// Releases a chain one by one: left to itself, a long chain would recurse.
    static func release(chain: SignalRecord?) {
        var each = chain
        while let record = each {
            each = record.next
            record.next = nil
        }
    }
}
