// What can be wrong with an initial ramdisk.

/// Why an archive could not be read to its end.
public struct ArchiveError: Error, Sendable {
    public enum Reason: Sendable {
        /// The archive ends too early or contradicts itself.
        case corrupt
        /// The archive is well, but its contents could not be stored.
        case storage
    }

    public let reason: Reason
    /// What is wrong, for a message.
    public let what: StaticString
    /// Where in the archive, as it was given (compressed).
    public var offset: Int

    public static func corrupt(_ what: StaticString, at offset: Int) -> ArchiveError {
        ArchiveError(reason: .corrupt, what: what, offset: offset)
    }
}
