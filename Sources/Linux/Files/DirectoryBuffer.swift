// Where a directory puts its entries for getdents64(2) and getdents(2).

import Primitives

/// Collects directory entries until it is full.
///
/// The records are built in kernel memory and copied to the program at the end, so that `add` may be called
/// with locks held.
public struct DirectoryBuffer: ~Copyable {
    /// Layout of the records.
    public enum Format: Sendable {
        /// `struct linux_dirent64`.
        case wide
        /// `struct linux_dirent`: the type in the last byte.
        case narrow
    }

    let format: Format
    let capacity: Int
    private(set) var bytes: [UInt8] = []
    /// An entry did not fit.
    private(set) var isFull = false

    /// Room for `capacity` bytes of records, at most 32 KiB at a time.
    public init(capacity: Int, format: Format = .wide) {
        self.capacity = min(max(capacity, 0), 32768)
        self.format = format
    }

    /// Adds a record; `next` is the position from which reading goes on after it. False when it does not fit
    /// and so is not there.
    public mutating func add(
        _ name: Span<UInt8>, number: UInt64, kind: FileKind, next: Int
    ) -> Bool {
        let header = format == .wide ? 19 : 18
        // A zero after the name, and in the narrow format the type after that.
        let used = header + name.count + (format == .wide ? 1 : 2)
        let length = (used + 7) & ~7
        guard length <= capacity - bytes.count else {
            isFull = true
            return false
        }
        let end = bytes.count + length
        append(number)
        append(UInt64(bitPattern: Int64(next)))
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        if format == .wide { bytes.append(kind.directoryEntryType) }
        for index in name.indices { bytes.append(name[index]) }
        while bytes.count < end { bytes.append(0) }
        if format == .narrow { bytes[end - 1] = kind.directoryEntryType }
        return true
    }

    private mutating func append(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
