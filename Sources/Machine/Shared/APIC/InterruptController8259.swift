// The pair of 8259 interrupt controllers of the PC. With an IO-APIC they are masked for good; their vectors are
// still moved away from the exceptions, since a spurious interrupt ignores the mask. Without one they are the
// chip of lines 0 to 15.

public enum InterruptController8259 {
    private static let masterCommand = Port(0x20)
    private static let masterData = Port(0x21)
    private static let slaveCommand = Port(0xa0)
    private static let slaveData = Port(0xa1)
    private static let initialize: UInt8 = 0x11
    private static let mode8086: UInt8 = 0x01
    private static let slaveLine: UInt8 = 2

    /// Whether the controllers are there: their mask registers keep what is written.
    public static func isPresent() -> Bool {
        let before = masterData.read8()
        masterData.write8(0xfb)
        let present = masterData.read8() == 0xfb
        masterData.write8(before)
        return present
    }

    /// Reads the in-service register (OCW3).
    private static let readInService: UInt8 = 0x0b
    /// The end of the interrupt of one line (OCW2).
    private static let specificEnd: UInt8 = 0x60
    /// Which lines are level-triggered, a bit each.
    private static let levelControl = (Port(0x4d0), Port(0x4d1))

    /// Masks the lines whose bits are set; the line of the second chip stays open. Whoever calls keeps others away.
    public static func setMasks(_ masks: UInt16) {
        masterData.write8(UInt8(truncatingIfNeeded: masks) & ~(1 << slaveLine))
        slaveData.write8(UInt8(truncatingIfNeeded: masks >> 8))
    }

    public static func isInService(_ line: Int) -> Bool {
        let command = line < 8 ? masterCommand : slaveCommand
        command.write8(readInService)
        return command.read8() >> UInt8(line & 7) & 1 != 0
    }

    /// Ends the interrupt of the line, at both chips if it is the second's.
    public static func acknowledge(_ line: Int) {
        if line >= 8 {
            slaveCommand.write8(specificEnd | UInt8(truncatingIfNeeded: line & 7))
            masterCommand.write8(specificEnd | slaveLine)
        } else {
            masterCommand.write8(specificEnd | UInt8(truncatingIfNeeded: line))
        }
    }

    /// Whether the chipset has the line level-triggered.
    public static func isLevel(_ line: Int) -> Bool {
        let port = line < 8 ? levelControl.0 : levelControl.1
        let bits = port.read8()
        return bits != 0xff && bits >> UInt8(line & 7) & 1 != 0
    }

    /// Moves the 16 lines to the vectors from `vector` (a multiple of 8) and masks them all.
    public static func disable(vector: UInt8) {
        masterData.write8(0xff)
        slaveData.write8(0xff)
        masterCommand.write8(initialize)
        masterData.write8(vector)
        masterData.write8(1 << slaveLine)
        masterData.write8(mode8086)
        slaveCommand.write8(initialize)
        slaveData.write8(vector &+ 8)
        slaveData.write8(slaveLine)
        slaveData.write8(mode8086)
        masterData.write8(0xff)
        slaveData.write8(0xff)
    }
}
