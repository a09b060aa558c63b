// A device to interrupt with at will: a serial port beyond the usual ones (I/O 0x260, line 5), which the tool gives to
// machines that test or measure lines. Its transmitter is always empty, so allowing that interrupt raises it at once; who
// reads its identification acknowledges it.

import Machine

enum TestPort {
    static let line = 5
    private static let base: UInt16 = 0x260
    private static let interruptEnable = Port(base + 1)
    private static let identification = Port(base + 2)
    private static let modemControl = Port(base + 4)
    private static let lineStatus = Port(base + 5)
    private static let transmitterEmpty: UInt8 = 2
    private static let nonePending: UInt8 = 1
    /// OUT2: lets the chip's interrupts out.
    private static let out2: UInt8 = 8

    /// Gets the port ready; false where there is none.
    static func open() -> Bool {
        guard lineStatus.read8() != 0xff else { return false }
        interruptEnable.write8(0)
        modemControl.write8(out2)
        return true
    }

    /// Raises the line.
    @inline(__always) static func raise() { interruptEnable.write8(transmitterEmpty) }

    /// Lets the line fall, if nobody has acknowledged.
    @inline(__always) static func lower() { interruptEnable.write8(0) }

    /// Lets the line fall; whether it was this device that had raised it.
    @_noAllocation @inline(__always) @discardableResult
    static func acknowledge() -> Bool { identification.read8() & nonePending == 0 }
}
