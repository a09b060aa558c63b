// The name of a place, from the root directory down.

import Primitives

enum PathName {
    /// The name of `path` as seen from `root`, nil for the root of the whole tree. Not reachable from there: begins with `(unreachable)`.
    static func of(_ path: Path, from root: Path?) -> [UInt8] {
        var reversed: [UInt8] = []
        var mount = path.mount
        var entry = path.entry
        var isReachable = true
        while root == nil || entry !== root?.entry || mount !== root?.mount {
            if entry === mount.root {
                guard let place = MountTable.place(of: mount) else {
                    // The root of the whole tree, or of one that is not mounted any more.
                    isReachable = root == nil && mount.isAttached
                    break
                }
                mount = place.mount
                entry = place.entry
                continue
            }
            let (name, parent) = Tree.links.withLock { _ in (entry.name, entry.parent) }
            guard let parent else {
                // No place in the tree at all: its own name.
                return name
            }
            for byte in name.reversed() { reversed.append(byte) }
            reversed.append(UInt8(ascii: "/"))
            entry = parent
        }
        if reversed.isEmpty { reversed.append(UInt8(ascii: "/")) }
        if !isReachable { reversed += "(unreachable)".utf8.reversed() }
        reversed.reverse()
        return reversed
    }

    /// The same, with ` (deleted)` behind the name of a file that has been removed, as `/proc` shows it.
    static func shown(_ path: Path, from root: Path? = nil) -> [UInt8] {
        var name = of(path, from: root)
        if path.entry.isRemoved { name += " (deleted)".utf8 }
        return name
    }
}
