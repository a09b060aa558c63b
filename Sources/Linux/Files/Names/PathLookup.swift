// Walks a path name through the tree (path_resolution(7)).
//
// A walk is a place in the tree and the text still to go. A symbolic link in the middle puts the rest of the text
// on a stack; one at the end replaces the text. So the walk never recurses, and 40 links are the limit.
//
// Entries found may be renamed or removed by others at any time; the walk holds references, so what it
// returns exists, if maybe not under that name any more. Who changes a directory looks again under its mutex.
//
// Invariant: texts in `outer` have at least one part left.

import Primitives

/// How a look-up treats the end of the name.
struct LookupFlags: OptionSet {
    let rawValue: UInt8
    /// A symbolic link at the end is followed.
    static let follow = LookupFlags(rawValue: 1)
    /// The name may be empty and then means the start (`AT_EMPTY_PATH`).
    static let allowEmpty = LookupFlags(rawValue: 2)
    /// The name must be a directory's.
    static let directory = LookupFlags(rawValue: 4)
}

/// A walk through the tree.
struct PathLookup {
    static let linkLimit = 40
    static let nameLimit = 255

    /// What the last part of a name is.
    enum LastKind { case name, dot, dotDot, root }

    let context: NameContext
    /// Where the walk is.
    private(set) var at: Path
    /// What the last part is, after `toParent`.
    private(set) var lastKind = LastKind.name
    /// Slashes came after the last part, or after a link that led to it: it must be a directory.
    private(set) var hasTrailingSlash = false
    private var text: [UInt8]
    private var position = 0
    /// What follows the links that the walk is in.
    private var outer: [(text: [UInt8], position: Int)] = []
    private var links = 0
    /// The last part, in `text`.
    private var last: Range<Int> = 0..<0

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// Begins a walk along `text`, which is not empty and has no zero byte.
    init(_ text: [UInt8], _ context: NameContext) {
        self.context = context
        self.text = text
        at = text.first == Self.slash ? context.root : context.start
    }

    /// Finds what a name means.
    static func find(
        _ text: [UInt8], _ flags: LookupFlags, _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) -> Path {
        if text.isEmpty {
            guard flags.contains(.allowEmpty) else { throw .noSuchFile }
            return context.start
        }
        var walk = PathLookup(text, context)
        return try walk.toEnd(flags, task)
    }

    /// Finds the directory that a name's last part is in; the last part itself need not exist.
    static func parent(
        of text: [UInt8], _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) -> PathLookup {
        guard !text.isEmpty else { throw .noSuchFile }
        var walk = PathLookup(text, context)
        try walk.toParent(task)
        return walk
    }

    // MARK: To the end

    /// Walks to the end of the name.
    mutating func toEnd(_ flags: LookupFlags, _ task: borrowing TaskContext) throws(Errno) -> Path {
        while true {
            try toParent(task)
            switch lastKind {
            case .root, .dot: return at
            case .dotDot:
                up()
                return at
            case .name: break
            }
            guard let found = try child(task) else { throw .noSuchFile }
            if found.inode.kind == .symbolicLink, flags.contains(.follow) || hasTrailingSlash {
                guard try followLast(found, task) else { continue }
            } else {
                at = found
            }
            let mustBeDirectory = hasTrailingSlash || flags.contains(.directory)
            guard !mustBeDirectory || at.inode.kind == .directory else { throw .notDirectory }
            return at
        }
    }

    /// Follows a link that is the last part. True if that led to a place at once, where the walk now is; false if there is
    /// a new text to walk.
    mutating func followLast(_ link: Path, _ task: borrowing TaskContext) throws(Errno) -> Bool {
        switch try target(of: link, task) {
        case .path(let path):
            at = path
            return true
        case .name(let body):
            try begin(body)
            return false
        }
    }

    // MARK: To the last part

    /// Walks up to the directory that the last part is in.
    mutating func toParent(_ task: borrowing TaskContext) throws(Errno) {
        while true {
            skipSlashes()
            if position == text.count {
                if let (text, position) = outer.popLast() {
                    self.text = text
                    self.position = position
                    continue
                }
                lastKind = .root
                return
            }
            try checkSearchable()
            let part = try nextPart()
            if position == text.count, outer.isEmpty {
                last = part
                lastKind = kind(of: part)
                if position > part.upperBound { hasTrailingSlash = true }
                return
            }
            try step(part, task)
        }
    }

    /// The walk is at a directory in which the caller may look names up.
    private func checkSearchable() throws(Errno) {
        guard at.inode.kind == .directory else { throw .notDirectory }
        try context.check(at.inode, .execute)
    }

    private mutating func skipSlashes() {
        while position < text.count, text[position] == Self.slash { position &+= 1 }
    }

    /// The part at the position, and the position after the slashes behind it.
    private mutating func nextPart() throws(Errno) -> Range<Int> {
        let start = position
        while position < text.count, text[position] != Self.slash { position &+= 1 }
        let part = start..<position
        guard part.count <= Self.nameLimit else { throw .nameTooLong }
        skipSlashes()
        return part
    }

    private func kind(of part: Range<Int>) -> LastKind {
        guard part.count <= 2, text[part.lowerBound] == Self.dot else { return .name }
        if part.count == 1 { return .dot }
        return text[part.lowerBound &+ 1] == Self.dot ? .dotDot : .name
    }

    /// Goes on over a part that is not the last.
    private mutating func step(_ part: Range<Int>, _ task: borrowing TaskContext) throws(Errno) {
        switch kind(of: part) {
        case .dot, .root: return
        case .dotDot: return up()
        case .name: break
        }
        guard let found = try child(part, task) else { throw .noSuchFile }
        guard found.inode.kind == .symbolicLink else {
            at = found
            return
        }
        switch try target(of: found, task) {
        case .path(let path): at = path
        case .name(let body):
            if position < text.count { outer.append((text, position)) }
            try begin(body)
        }
    }

    private mutating func target(of link: Path, _ task: borrowing TaskContext) throws(Errno) -> LinkTarget {
        links &+= 1
        guard links <= Self.linkLimit else { throw .symbolicLinkLoop }
        return try link.inode.readLink(task)
    }

    /// Goes on with the text of a link, from where the link is.
    private mutating func begin(_ body: [UInt8]) throws(Errno) {
        guard !body.isEmpty else { throw .noSuchFile }
        text = body
        position = 0
        if body[0] == Self.slash { at = context.root }
    }

    // MARK: Places

    /// The last part's place, with what is mounted there; nil if there is none.
    func child(_ task: borrowing TaskContext) throws(Errno) -> Path? { try child(last, task) }

    private func child(_ part: Range<Int>, _ task: borrowing TaskContext) throws(Errno) -> Path? {
        let text = text
        guard let entry = try Tree.child(of: at.entry, text.span.extracting(part), task) else { return nil }
        return MountTable.topmost(Path(mount: at.mount, entry: entry))
    }

    /// Goes to the directory above, but not out of the root directory.
    mutating func up() {
        while at != context.root {
            if at.entry !== at.mount.root {
                guard let parent = Tree.parent(of: at.entry) else { return }
                at = MountTable.topmost(Path(mount: at.mount, entry: parent))
                return
            }
            guard let place = MountTable.place(of: at.mount) else { return }
            at = place
        }
    }

    /// Calls `body` with the last part.
    @inline(__always)
    func withLastName<R>(_ body: (Span<UInt8>) throws(Errno) -> R) throws(Errno) -> R {
        let text = text
        return try body(text.span.extracting(last))
    }
}
