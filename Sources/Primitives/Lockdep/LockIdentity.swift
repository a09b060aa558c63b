// What a lock of the debug build knows about itself.

#if APUS_DEBUG_LOCKS
    import Synchronization

    /// Where a lock was made, and the number of that class once it is known, plus one.
    public struct LockIdentity: ~Copyable, Sendable {
        let site: LockSite
        let number = Atomic<UInt16>(0)

        @inline(__always)
        public init(_ file: StaticString, _ line: UInt32) { site = LockSite(file, line) }
    }
#endif
