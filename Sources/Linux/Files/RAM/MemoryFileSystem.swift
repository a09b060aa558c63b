// Files that are memory with a descriptor and no name (memfd_create(2)), and their seals.

import Memory
import Primitives

enum MemoryFileSystem {
    /// Mounted nowhere; limited by the memory there is.
    private static let fileSystem = RAMFileSystem(RAMFileSystem.Options(), isPermanent: true)
    private static let mount = Mount(fileSystem, root: fileSystem.root, source: [], flags: [])

    /// A new empty file, open for reading and writing.
    static func makeFile(named name: [UInt8], allowsSealing: Bool, owner: FileOwner) -> File {
        let inode = RAMFile(fileSystem, mode: FileMode(.regular, 0o777), owner: owner, links: 0)
        inode.sealBits = allowsSealing ? Seal.possible : Seal.seal | Seal.possible
        let entry = PathEntry(name: [UInt8]("/memfd:".utf8) + name, parent: nil, inode: inode)
        entry.isRemoved = true
        return RAMOpenFile(inode, Path(mount: mount, entry: entry), [.readWrite, .largeFile])
    }
}

/// Seals (fcntl(2)): what can never again be done to a file.
enum Seal {
    static let seal: UInt32 = 1
    static let shrink: UInt32 = 2
    static let grow: UInt32 = 4
    static let write: UInt32 = 8
    static let futureWrite: UInt32 = 16
    static let all: UInt32 = 31
    /// Not a seal: the file can have any.
    static let possible: UInt32 = 1 << 31
}

extension Inode {
    /// Adds seals; EPERM where no more may be added, EINVAL for files that have none.
    final func addSeals(_ seals: UInt32, isWritable: Bool) throws(Errno) -> Int {
        let now = sealBits
        guard now & Seal.possible != 0, seals & ~Seal.all == 0 else { throw .invalid }
        guard isWritable, now & Seal.seal == 0 else { throw .notPermitted }
        if seals & Seal.write != 0, now & Seal.write == 0, memoryObject?.isMapped == true { throw .busy }
        sealBits |= seals
        return 0
    }

    final func seals() throws(Errno) -> Int {
        guard sealBits & Seal.possible != 0 else { throw .invalid }
        return Int(sealBits & Seal.all)
    }

    /// Throws EPERM if a seal forbids the new size.
    final func checkSeals(newSize: Int) throws(Errno) {
        if newSize < size, sealBits & Seal.shrink != 0 { throw .notPermitted }
        if newSize > size, sealBits & Seal.grow != 0 { throw .notPermitted }
    }

    /// Throws EPERM if a seal forbids to write up to `end`.
    @inline(__always)
    final func checkSeals(writingTo end: Int) throws(Errno) {
        guard sealBits & (Seal.write | Seal.futureWrite | Seal.grow) != 0 else { return }
        if sealBits & (Seal.write | Seal.futureWrite) != 0 || end > size { throw .notPermitted }
    }
}
