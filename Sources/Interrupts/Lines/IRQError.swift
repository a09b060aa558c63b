// Why a line cannot be had.

/// What `IRQ.request` and its relatives throw.
public enum IRQError: Error, Equatable, Sendable {
    /// There is no line of that number, or nothing it could be wired to.
    case noSuchLine
    /// Somebody has the line, and one of the two does not share it.
    case busy
    /// The line is shared by others with another trigger than is asked for.
    case wrongTrigger
    /// This handler with this word has the line already.
    case alreadyRegistered
    /// Not registered, or not any more.
    case notRegistered
    /// As many handlers as a line can have.
    case tooManyHandlers
    /// No CPU has a free vector.
    case noVector
    /// None of the CPUs asked for is online, or none was named.
    case noOnlineCPU
    /// The chip sends the line to one CPU only.
    case cannotMove
    /// No memory for the line or its thread.
    case noMemory
    /// The device has no interrupt messages.
    case noMessages
    /// `enable` without a `disable` before.
    case notDisabled
}
