// Speeds: the codes in `c_cflag` (B50 … B4000000) and the numbers of termios2.

extension Termios {
    /// Speeds in the order of their codes: 0 … 15 plain, then 1 … 15 with CBAUDEX.
    private static let plainSpeeds: InlineArray<16, UInt32> = [
        0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
    ]
    private static let extraSpeeds: InlineArray<16, UInt32> = [
        0, 57600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000,
        2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000,
    ]

    /// The code for a speed; BOTHER if it has none.
    static func speedCode(_ baud: UInt32) -> UInt32 {
        for code in 0..<16 where plainSpeeds[code] == baud { return UInt32(code) }
        for code in 1..<16 where extraSpeeds[code] == baud { return Control.speedExtra | UInt32(code) }
        return Control.speedExtra
    }

    /// The speed of a code; nil for BOTHER.
    private static func speed(ofCode code: UInt32) -> UInt32? {
        let number = Int(code & 15)
        guard code & Control.speedExtra != 0 else { return plainSpeeds[number] }
        return number == 0 ? nil : extraSpeeds[number]
    }

    /// Brings the fields in step with the codes a program has set in `control`. An input code of 0 means
    /// "as the output".
    mutating func resolveSpeeds() {
        if let baud = Self.speed(ofCode: control & Control.speedMask) { outputSpeed = baud }
        let inputCode = control >> Control.inputSpeedShift & Control.speedMask
        if inputCode == 0 {
            inputSpeed = outputSpeed
        } else if let baud = Self.speed(ofCode: inputCode) {
            inputSpeed = baud
        }
    }

    /// Sets both speeds and their codes.
    mutating func setSpeed(_ baud: UInt32) {
        let inputMask = Control.speedMask << Control.inputSpeedShift
        control = control & ~(Control.speedMask | inputMask) | Self.speedCode(baud)
        inputSpeed = baud
        outputSpeed = baud
    }
}
