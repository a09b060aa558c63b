// Changing the credentials of the running task.

import Primitives
import Synchronization

extension LinuxTask {
    /// Changes this task's credentials; only the running task does.
    func change(_ body: (inout Credentials) -> Void) {
        var changed = credentials
        body(&changed)
        lock.withLock { _ in swap(&credentials, &changed) }
    }

    /// Changes user identities, and what follows from it: capabilities come and go with user 0, and the
    /// real user's counts move.
    func changeUser(_ body: (inout Credentials) -> Void) {
        let before = credentials
        change {
            body(&$0)
            $0.adjustCapabilities(from: before)
        }
        guard credentials.userID != before.userID else { return }
        let old = account
        let new = UserAccount.find(credentials.userID)
        new.threads.wrappingAdd(1, ordering: .relaxed)
        account = new
        old.threads.wrappingSubtract(1, ordering: .relaxed)
    }

    /// A copy of the credentials of any task. Task context.
    public var observedCredentials: Credentials { lock.withLock { _ in credentials } }
}

extension Credentials {
    private static let noFixUp: UInt32 = 1 << 2  // SECBIT_NO_SETUID_FIXUP

    /// The rules of capabilities(7), "Effect of user ID changes on capabilities".
    mutating func adjustCapabilities(from old: Credentials) {
        guard secureBits & Self.noFixUp == 0 else { return }
        let hadRoot = old.userID == 0 || old.effectiveUserID == 0 || old.savedUserID == 0
        let hasRoot = userID == 0 || effectiveUserID == 0 || savedUserID == 0
        if hadRoot, !hasRoot {
            if !keepsCapabilities {
                permitted = .none
                effective = .none
            }
            ambient = .none
        }
        if old.effectiveUserID == 0, effectiveUserID != 0 { effective = .none }
        if old.effectiveUserID != 0, effectiveUserID == 0 { effective = permitted }
    }
}
