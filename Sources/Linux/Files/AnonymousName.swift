// What `/proc/PID/fd` shows for files that have no name.

enum AnonymousName {
    /// For instance `pipe:[4711]`.
    static func of(_ kind: StaticString, _ inode: Inode) -> [UInt8] {
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        var name = unsafe [UInt8](UnsafeBufferPointer(start: kind.utf8Start, count: kind.utf8CodeUnitCount))
        name += ":[".utf8
        name += Names.decimal(inode.number)
        name.append(UInt8(ascii: "]"))
        return name
    }
}

extension File {
    /// Numbers of ioctl(2) that many kinds of files answer (asm-generic/ioctls.h).
    enum FileControl {
        static let bytesToRead: UInt32 = 0x541b  // FIONREAD
        static let nonBlocking: UInt32 = 0x5421  // FIONBIO
        static let noCloseOnExec: UInt32 = 0x5450  // FIONCLEX
        static let closeOnExec: UInt32 = 0x5451  // FIOCLEX
        static let asynchronous: UInt32 = 0x5452  // FIOASYNC
        static let quotaSize: UInt32 = 0x5460  // FIOQSIZE
    }
}
