// What a file is ready for (poll(2)); epoll uses the same numbers.

public struct PollEvents: OptionSet, Sendable {
    public let rawValue: UInt32
    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let input = PollEvents(rawValue: 0x1)
    public static let priority = PollEvents(rawValue: 0x2)
    public static let output = PollEvents(rawValue: 0x4)
    public static let error = PollEvents(rawValue: 0x8)
    public static let hangUp = PollEvents(rawValue: 0x10)
    public static let invalid = PollEvents(rawValue: 0x20)
    public static let normalInput = PollEvents(rawValue: 0x40)
    public static let bandInput = PollEvents(rawValue: 0x80)
    public static let normalOutput = PollEvents(rawValue: 0x100)
    public static let bandOutput = PollEvents(rawValue: 0x200)
    public static let message = PollEvents(rawValue: 0x400)
    public static let readHangUp = PollEvents(rawValue: 0x2000)

    /// Data can be read.
    public static let readable: PollEvents = [.input, .normalInput]
    /// Data can be written.
    public static let writable: PollEvents = [.output, .normalOutput]
    /// Reported whether asked for or not.
    public static let always: PollEvents = [.error, .hangUp]
}
