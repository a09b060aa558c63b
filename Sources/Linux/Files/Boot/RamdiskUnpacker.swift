// Makes files of the entries of an initial ramdisk.
//
// As Linux does it: what is there already gives way, except directories; a file of several names brings its bytes
// with one of them, and the others are links to it. Directories that the archive forgot are made. Times
// are those of the archive; directories get theirs at the end, since filling them changes it.

import Memory
import Primitives

final class RamdiskUnpacker: CpioReceiver {
    private let context: NameContext
    private var entry = CpioEntry()
    private var name: [UInt8] = []
    /// The regular file that bytes go to.
    private var file: RAMFile?
    private var written = 0
    /// The text of a symbolic link so far.
    private var target: [UInt8] = []
    private var links = HardLinks()
    private var directories: [(inode: Inode, time: Int64)] = []
    /// Entries made.
    private(set) var count = 0

    init(root: Path) { context = .kernel(root) }

    override func begin(
        _ entry: CpioEntry, _ name: Span<UInt8>, _ task: borrowing TaskContext
    ) throws(CpioProblem) {
        self.entry = entry
        self.name = name.bytes
        file = nil
        written = 0
        target.removeAll(keepingCapacity: true)
        guard !self.name.isEmpty else { return }
        let mode = FileMode(bits: entry.mode)
        guard let kind = mode.kind else { throw CpioProblem("unknown kind of file in a cpio archive") }
        // The text of a link comes with its data.
        if kind == .symbolicLink { return }
        try storing { () throws(Errno) in try make(kind, mode, task) }
    }

    override func data(_ bytes: UnsafeRawBufferPointer, _ task: borrowing TaskContext) throws(CpioProblem) {
        if FileMode(bits: entry.mode).kind == .symbolicLink {
            guard target.count + bytes.count < 4096 else {
                throw CpioProblem("symbolic link too long in a cpio archive")
            }
            return unsafe target.append(contentsOf: bytes)
        }
        guard let file else { return }
        try storing { () throws(Errno) in
            // The buffer is only read from.
            var buffer = unsafe IOBuffer(kernel: UnsafeMutableRawBufferPointer(mutating: bytes))
            while !buffer.isEmpty {
                let done = try file.write(from: &buffer, at: written, task)
                guard done > 0 else { throw .noSpace }
                written &+= done
            }
        }
    }

    override func end(_ task: borrowing TaskContext) throws(CpioProblem) {
        if FileMode(bits: entry.mode).kind == .symbolicLink {
            guard !target.isEmpty else { throw CpioProblem("empty symbolic link in a cpio archive") }
            try storing { () throws(Errno) in try makeLink(task) }
        }
        if let file { setTime(of: file) }
        file = nil
        count &+= 1
    }

    override func archiveEnded() { links = HardLinks() }

    /// The last archive is done: directories get their times.
    func finish() {
        for (inode, time) in directories {
            inode.modificationTime = time
            inode.accessTime = time
        }
    }

    private func storing(_ body: () throws(Errno) -> Void) throws(CpioProblem) {
        do throws(Errno) {
            try body()
        } catch {
            let isMemory = error == .noMemory || error == .noSpace
            throw CpioProblem(
                isMemory ? "no memory for a file" : "a file cannot be made", isMemory ? .storage : .corrupt)
        }
    }

    // MARK: Making files

    private func make(_ kind: FileKind, _ mode: FileMode, _ task: borrowing TaskContext) throws(Errno) {
        let there = try existing(task)
        if kind == .directory {
            var place = there
            if place == nil { place = try node(mode, task) }
            guard let place else { return }
            setAttributes(of: place.inode)
            directories.append((place.inode, time))
            return
        }
        if kind == .regular, entry.links > 1, let first = links.find(entry) {
            if let there, there.inode !== first.inode { try remove(there, task) }
            if there?.inode !== first.inode { try Names.makeLink(to: first, name, context, task) }
            take(first.inode, isNew: false)
            return
        }
        if let there { try remove(there, task) }
        let place = try node(mode, task)
        setAttributes(of: place.inode)
        if kind == .regular {
            if entry.links > 1 { links.add(entry, place) }
            take(place.inode, isNew: true)
        }
    }

    /// What comes now are the bytes of this file. A name without bytes does not empty a file that has some.
    private func take(_ inode: Inode, isNew: Bool) {
        guard isNew || entry.fileSize > 0 else { return }
        // Regular files of the root file system, which is a RAM file system.
        file = unsafe unsafeDowncast(inode, to: RAMFile.self)
    }

    /// What has the entry's name already. A directory in its place that is none is in the way.
    private func existing(_ task: borrowing TaskContext) throws(Errno) -> Path? {
        do throws(Errno) {
            let place = try Names.find(name, [], context, task)
            if FileMode(bits: entry.mode).kind == .directory, place.inode.kind != .directory {
                try remove(place, task)
                return nil
            }
            return place
        } catch {
            guard error == .noSuchFile else { throw error }
            return nil
        }
    }

    private func remove(_ place: Path, _ task: borrowing TaskContext) throws(Errno) {
        guard place.inode.kind == .directory else { return try Names.unlink(name, context, task) }
        try Names.removeDirectory(name, context, task)
    }

    private func node(_ mode: FileMode, _ task: borrowing TaskContext) throws(Errno) -> Path {
        let device = DeviceNumber(major: entry.nodeMajor, minor: entry.nodeMinor)
        do throws(Errno) {
            return try Names.makeNode(name, mode: mode, device: device, context, task)
        } catch {
            guard error == .noSuchFile else { throw error }
            try makeDirectoriesAbove(task)
            return try Names.makeNode(name, mode: mode, device: device, context, task)
        }
    }

    private func makeLink(_ task: borrowing TaskContext) throws(Errno) {
        if let there = try existing(task) { try remove(there, task) }
        let place: Path
        do throws(Errno) {
            place = try Names.makeSymbolicLink(name, to: target, context, task)
        } catch {
            guard error == .noSuchFile else { throw error }
            try makeDirectoriesAbove(task)
            place = try Names.makeSymbolicLink(name, to: target, context, task)
        }
        place.inode.setOwners(user: entry.userID, group: entry.groupID)
        setTime(of: place.inode)
    }

    /// Makes what is missing of the directories that the name goes through.
    private func makeDirectoriesAbove(_ task: borrowing TaskContext) throws(Errno) {
        for index in name.indices where name[index] == UInt8(ascii: "/") && index > 0 {
            do throws(Errno) {
                let above = [UInt8](name[..<index])
                _ = try Names.makeNode(above, mode: FileMode(.directory, 0o755), device: .none, context, task)
            } catch {
                guard error == .exists else { throw error }
            }
        }
    }

    // MARK: Attributes

    private var time: Int64 { Int64(entry.modificationTime) * 1_000_000_000 }

    private func setAttributes(of inode: Inode) {
        inode.permissions = FileMode(bits: entry.mode).permissions
        inode.setOwners(user: entry.userID, group: entry.groupID)
        setTime(of: inode)
    }

    private func setTime(of inode: Inode) {
        inode.modificationTime = time
        inode.accessTime = time
    }
}

/// Files of several names that an archive has brought so far, by the numbers it gives them.
private struct HardLinks {
    private struct Known {
        let inode: UInt32
        let major: UInt32
        let minor: UInt32
        let place: Path
    }

    private var buckets: [[Known]] = []

    func find(_ entry: CpioEntry) -> Path? {
        guard !buckets.isEmpty else { return nil }
        for known in buckets[Int(entry.inode & 63)]
        where known.inode == entry.inode && known.major == entry.deviceMajor
            && known.minor == entry.deviceMinor
        {
            return known.place
        }
        return nil
    }

    mutating func add(_ entry: CpioEntry, _ place: Path) {
        if buckets.isEmpty { buckets = [[Known]](repeating: [], count: 64) }
        buckets[Int(entry.inode & 63)].append(
            Known(inode: entry.inode, major: entry.deviceMajor, minor: entry.deviceMinor, place: place))
    }
}
