// What is mounted where: one tree of mounts for all processes.
//
// A mount is found by the entry it covers and the mount that entry is seen through, in a hash table.
// Two mounts on the same place: the later one covers the root of the earlier.

import Primitives
import Synchronization
import Tasks

public enum MountTable {
    private struct State: ~Copyable {
        var buckets = InlineArray<64, Mount?>(repeating: nil)
        /// In the order of mounting, for `/proc/mounts`.
        var all: [Mount] = []
    }

    /// Task context; nothing sleeps under it.
    private static let state = SpinLock(State())
    /// Held while the tree of mounts changes.
    static let mutex = RawMutex()

    private static func bucket(_ mount: Mount, _ entry: PathEntry) -> Int {
        let mixed = UInt(bitPattern: ObjectIdentifier(entry)) &+ UInt(mount.identifier) &* 0x9e37
        return Int(bitPattern: (mixed >> 5 ^ mixed >> 11) & 63)
    }

    /// What is mounted at a place, or the place itself.
    @inline(__always)
    static func topmost(_ path: Path) -> Path {
        guard path.entry.isMountPoint else { return path }
        return covering(path)
    }

    private static func covering(_ path: Path) -> Path {
        state.withLock { state in
            var path = path
            while path.entry.isMountPoint {
                var next = state.buckets[bucket(path.mount, path.entry)]
                while let mount = next, !(mount.parent === path.mount && mount.mountPoint === path.entry) {
                    next = mount.nextInBucket
                }
                guard let found = next else { break }
                path = Path(mount: found, entry: found.root)
            }
            return path
        }
    }

    /// Where a mount is; nil for the root of the tree and for one that is not mounted any more.
    static func place(of mount: Mount) -> Path? {
        state.withLock { _ in
            guard let parent = mount.parent, let entry = mount.mountPoint else { return nil }
            return Path(mount: parent, entry: entry)
        }
    }

    /// All mounts, in the order of mounting.
    public static var all: [Mount] { state.withLock { $0.all } }

    /// Puts a mount at a place, or makes it the root of the tree. The mutex is held.
    static func attach(_ mount: Mount, at place: Path?) {
        state.withLock { state in
            mount.isAttached = true
            state.all.append(mount)
            guard let place else { return }
            mount.parent = place.mount
            mount.mountPoint = place.entry
            place.mount.childCount += 1
            place.entry.mountCount.wrappingAdd(1, ordering: .releasing)
            let bucket = bucket(place.mount, place.entry)
            mount.nextInBucket = state.buckets[bucket]
            state.buckets[bucket] = mount
        }
    }

    /// Takes a mount out of the tree. The mutex is held. False if mounts are on it.
    static func detach(_ mount: Mount) -> Bool {
        let done = state.withLock { state -> (PathEntry, Mount)? in
            guard mount.isAttached, mount.childCount == 0, let parent = mount.parent,
                let entry = mount.mountPoint
            else { return nil }
            unchain(mount, bucket(parent, entry), &state)
            state.all.removeAll { $0 === mount }
            mount.isAttached = false
            mount.parent = nil
            mount.mountPoint = nil
            parent.childCount -= 1
            entry.mountCount.wrappingSubtract(1, ordering: .releasing)
            return (entry, parent)
        }
        return done != nil
    }

    private static func unchain(_ mount: Mount, _ bucket: Int, _ state: inout State) {
        let after = mount.nextInBucket
        mount.nextInBucket = nil
        guard let first = state.buckets[bucket] else { return }
        if first === mount {
            state.buckets[bucket] = after
            return
        }
        var before = first
        while let next = before.nextInBucket {
            if next === mount {
                before.nextInBucket = after
                return
            }
            before = next
        }
    }

    /// Whether mounts are on entries of this mount.
    static func hasChildren(_ mount: Mount) -> Bool { state.withLock { _ in mount.childCount > 0 } }
}
