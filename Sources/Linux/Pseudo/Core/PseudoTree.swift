// Building a tree of made-up files from paths.

import Primitives

/// Puts files into a file system by path, making the directories on the way.
struct PseudoTree {
    let fileSystem: PseudoFileSystem
    let root: PseudoDirectory

    /// A file: `show` makes its text, `store` takes what is written.
    func add(
        _ path: StaticString, _ permissions: UInt32 = 0o444, store: StoreText? = nil, show: ShowText?
    ) {
        add(Text(stringLiteral: path).bytes, permissions, store: store, show: show)
    }

    func add(
        _ path: [UInt8], _ permissions: UInt32 = 0o444, store: StoreText? = nil, show: ShowText?
    ) {
        let (directory, name) = place(path)
        let inode = GeneratedInode(
            fileSystem, number: fileSystem.takeNumber(), permissions: permissions, show: show, store: store)
        directory.add(name, inode)
    }

    /// A symbolic link with a fixed target.
    func link(_ path: [UInt8], to target: [UInt8]) {
        let (directory, name) = place(path)
        let link = PseudoLink(fileSystem, number: fileSystem.takeNumber()) { _ in .name(target) }
        directory.add(name, link)
    }

    func link(_ path: StaticString, to target: StaticString) {
        link(Text(stringLiteral: path).bytes, to: Text(stringLiteral: target).bytes)
    }

    /// A directory, perhaps empty.
    func directory(_ path: StaticString) { _ = directory(Text(stringLiteral: path).bytes[...]) }

    /// An inode made elsewhere.
    func add(_ path: StaticString, inode: Inode) {
        let (directory, name) = place(Text(stringLiteral: path).bytes)
        directory.add(name, inode)
    }

    private func place(_ path: [UInt8]) -> (PseudoDirectory, [UInt8]) {
        guard let slash = path.lastIndex(of: 47) else { return (root, path) }
        return (directory(path[..<slash]), Array(path[(slash + 1)...]))
    }

    private func directory(_ path: ArraySlice<UInt8>) -> PseudoDirectory {
        var here = root
        for part in path.split(separator: 47) {
            let name = Array(part)
            if let found = here.find(name.span) {
                // Paths of the tables name directories before what is in them.
                here = unsafe unsafeDowncast(found, to: PseudoDirectory.self)
                continue
            }
            let made = PseudoDirectory(fileSystem, number: fileSystem.takeNumber(), parent: here.number)
            here.add(name, made)
            here = made
        }
        return here
    }
}
