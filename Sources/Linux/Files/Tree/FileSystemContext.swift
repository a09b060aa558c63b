// What a process looks names up from: root, working directory and umask (`CLONE_FS` shares it).

import Primitives

/// Root directory, working directory and umask of the tasks that share it.
public final class FileSystemContext: @unchecked Sendable {
    public struct State {
        public fileprivate(set) var root: Path
        public fileprivate(set) var working: Path
        public fileprivate(set) var umask: UInt32
    }

    /// Task context only.
    private let state: SpinLock<State>

    public init(root: Path, working: Path, umask: UInt32 = 0o022) {
        root.mount.pin()
        working.mount.pin()
        state = SpinLock(State(root: root, working: working, umask: umask))
    }

    deinit {
        let last = state.withLock { $0 }
        last.root.mount.unpin()
        last.working.mount.unpin()
    }

    /// A copy for a new process.
    public convenience init(copying other: FileSystemContext) {
        let now = other.state.withLock { $0 }
        self.init(root: now.root, working: now.working, umask: now.umask)
    }

    /// All three as they are at one moment.
    public var snapshot: State { state.withLock { $0 } }
    public var root: Path { state.withLock { $0.root } }
    public var working: Path { state.withLock { $0.working } }
    public var umask: UInt32 { state.withLock { $0.umask } }

    /// Replaces the working directory.
    public func setWorking(_ path: Path) {
        path.mount.pin()
        // The old one is let go after the lock.
        let old = state.withLock { state in
            let old = state.working
            state.working = path
            return old
        }
        old.mount.unpin()
    }

    /// Replaces the root directory.
    public func setRoot(_ path: Path) {
        path.mount.pin()
        let old = state.withLock { state in
            let old = state.root
            state.root = path
            return old
        }
        old.mount.unpin()
    }

    /// Sets the umask and returns the old one.
    public func exchangeUmask(_ new: UInt32) -> UInt32 {
        state.withLock { state in
            let old = state.umask
            state.umask = new & 0o777
            return old
        }
    }
}
