// The tree of entries as a whole: going from an entry to its children and its parent while others rename.

import Machine
import Primitives
import Synchronization
import Tasks

enum Tree {
    /// Guards parent and name of all entries. Task context; nothing sleeps under it.
    static let links = SpinLock(())
    /// Odd while a rename has an entry out of the tables: who did not find a name then looks again.
    private static let renames = Atomic<UInt32>(0)
    /// Held by renames that move between directories: the tree of directories stands still for them.
    static let renameMutex = RawMutex()

    /// The entry named `name` in a directory; nil if there is none.
    static func child(
        of directory: PathEntry, _ name: Span<UInt8>, _ task: borrowing TaskContext
    ) throws(Errno) -> PathEntry? {
        guard let children = directory.children else { throw .notDirectory }
        let hash = NameHash.of(name)
        while true {
            let before = renames.load(ordering: .acquiring)
            if let entry = children.find(name, hash) { return entry }
            if before & 1 == 0, renames.load(ordering: .sequentiallyConsistent) == before { break }
            Spin.pause()
        }
        guard !directory.inode.keepsEntries else { return nil }
        do throws(Errno) {
            let inode = try directory.inode.lookup(name, task)
            return PathEntry(name: name.bytes, parent: directory, inode: inode)
        } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
    }

    /// The directory an entry is in; nil at the root of a file system.
    static func parent(of entry: PathEntry) -> PathEntry? { links.withLock { _ in entry.parent } }

    /// Whether `entry` is `ancestor` or lies below it.
    static func isAncestor(_ ancestor: PathEntry, of entry: PathEntry) -> Bool {
        links.withLock { _ in
            var next: PathEntry? = entry
            while let here = next {
                if here === ancestor { return true }
                next = here.parent
            }
            return false
        }
    }

    /// Puts a new entry into a directory whose mutex is held.
    static func add(_ name: Span<UInt8>, to directory: PathEntry, _ inode: Inode) -> PathEntry {
        let entry = PathEntry(name: name.bytes, parent: directory, inode: inode)
        directory.children?.insert(entry)
        return entry
    }

    /// Takes an entry out of its directory, whose mutex is held.
    static func remove(_ entry: PathEntry) {
        entry.isRemoved = true
        parent(of: entry)?.children?.remove(entry)
    }

    /// Moves an entry. The mutexes of both directories are held. `replaced` goes, or with `exchange` takes the old place.
    static func move(
        _ entry: PathEntry, to directory: PathEntry, _ name: Span<UInt8>, replacing replaced: PathEntry?,
        exchange: Bool
    ) {
        guard let from = entry.parent else { return }
        let oldName = entry.name
        renames.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer { renames.wrappingAdd(1, ordering: .releasing) }
        from.children?.remove(entry)
        if let replaced {
            directory.children?.remove(replaced)
            if exchange {
                setPlace(replaced, from, oldName)
                from.children?.insert(replaced)
            } else {
                replaced.isRemoved = true
            }
        }
        setPlace(entry, directory, name.bytes)
        directory.children?.insert(entry)
    }

    private static func setPlace(_ entry: PathEntry, _ parent: PathEntry, _ name: [UInt8]) {
        // The old ones are let go after the lock.
        _ = links.withLock { _ in
            let old = (entry.parent, entry.name)
            entry.parent = parent
            entry.name = name
            entry.hash = NameHash.of(name.span)
            return old
        }
    }
}

extension Span where Element == UInt8 {
    /// A copy of the bytes.
    var bytes: [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
}
