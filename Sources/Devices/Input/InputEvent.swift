// What an input device reports: keys, movements, and the ends of reports, numbered as Linux numbers them
// (linux/input-event-codes.h).

/// One event with the moment it was reported.
public struct InputEvent: BitwiseCopyable, Equatable, Sendable {
    /// Nanoseconds of the monotonic clock.
    public var time: UInt64
    public var type: UInt16
    public var code: UInt16
    public var value: Int32
    /// The reader that alone gets it; 0 for all.
    var owner: UInt32 = 0

    @inline(__always)
    public init(time: UInt64, type: UInt16, code: UInt16, value: Int32) {
        self.time = time
        self.type = type
        self.code = code
        self.value = value
    }

    /// Types of events.
    public enum Kind {
        public static let synchronize: UInt16 = 0
        public static let key: UInt16 = 1
        public static let relative: UInt16 = 2
        public static let miscellaneous: UInt16 = 4
        public static let led: UInt16 = 0x11
        public static let repetition: UInt16 = 0x14
    }

    /// Codes of `Kind.synchronize`.
    public enum Synchronize {
        public static let report: UInt16 = 0
        /// The reader was too slow: events are missing before the next report.
        public static let dropped: UInt16 = 3
    }

    /// Codes of `Kind.relative`.
    public enum Axis {
        public static let x: UInt16 = 0
        public static let y: UInt16 = 1
        public static let wheel: UInt16 = 8
    }

    /// The code of `Kind.miscellaneous` that tells what the device itself called the key.
    public static let scanCode: UInt16 = 4
}

/// Codes of `InputEvent.Kind.key` that the kernel itself knows.
public enum KeyCode {
    public static let leftControl: UInt16 = 29
    public static let keypadDot: UInt16 = 83
    public static let leftAlt: UInt16 = 56
    public static let rightControl: UInt16 = 97
    public static let rightAlt: UInt16 = 100
    public static let delete: UInt16 = 111
    public static let power: UInt16 = 116
    public static let pause: UInt16 = 119
    public static let leftButton: UInt16 = 0x110
    public static let rightButton: UInt16 = 0x111
    public static let middleButton: UInt16 = 0x112
    public static let sideButton: UInt16 = 0x113
    public static let extraButton: UInt16 = 0x114
}
