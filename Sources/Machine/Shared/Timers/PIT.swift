// The 8254 programmable interval timer of the PC.

public enum PIT {
    /// Its clock, in Hz.
    public static let frequency: UInt64 = 1_193_182

    private static let channel0 = Port(0x40)
    private static let channel2 = Port(0x42)
    private static let command = Port(0x43)
    /// Bit 0: gate of channel 2; bit 1: speaker; bit 5: output of channel 2.
    private static let control = Port(0x61)
    private static let gate: UInt8 = 1
    private static let speaker: UInt8 = 2
    private static let output: UInt8 = 1 << 5
    private static let bothBytes: UInt8 = 3 << 4
    private static let select2: UInt8 = 2 << 6

    public enum Mode: UInt8, Sendable {
        /// The output rises once after `count` ticks.
        case oneShot = 0
        /// A pulse every `count` ticks.
        case rate = 2
    }

    /// Starts channel 0, whose output is interrupt line 0. `count` 0 means 65,536.
    public static func start(_ mode: Mode, count: UInt16) {
        command.write8(bothBytes | mode.rawValue << 1)
        channel0.write8(UInt8(truncatingIfNeeded: count))
        channel0.write8(UInt8(truncatingIfNeeded: count >> 8))
    }

    /// Stops channel 0: one last interrupt may come within 55 ms.
    public static func stop() { start(.oneShot, count: 0) }

    /// The ticks that are left of channel 0's count.
    public static func remaining() -> UInt16 {
        // Latch, so that the two halves belong together.
        command.write8(0)
        return UInt16(channel0.read8()) | UInt16(channel0.read8()) << 8
    }

    /// Starts channel 2, which interrupts nobody, counting down from `count`, once.
    public static func startChannel2(count: UInt16) {
        control.write8(control.read8() & ~(speaker | gate))
        command.write8(select2 | bothBytes | Mode.oneShot.rawValue << 1)
        channel2.write8(UInt8(truncatingIfNeeded: count))
        channel2.write8(UInt8(truncatingIfNeeded: count >> 8))
        control.write8(control.read8() & ~speaker | gate)
    }

    /// The ticks that are left of channel 2's count.
    public static func remainingChannel2() -> UInt16 {
        command.write8(select2)
        return UInt16(channel2.read8()) | UInt16(channel2.read8()) << 8
    }

    public static func stopChannel2() { control.write8(control.read8() & ~(speaker | gate)) }

    /// Whether channel 2 has counted down.
    public static var hasChannel2Ended: Bool { control.read8() & output != 0 }
}
