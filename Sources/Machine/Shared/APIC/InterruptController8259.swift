// The pair of 8259 interrupt controllers of the PC. With an IO-APIC they are masked for good; their vectors are
// still moved away from the exceptions, since a spurious interrupt ignores the mask.

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
