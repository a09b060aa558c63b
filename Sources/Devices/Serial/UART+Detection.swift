// Is there a chip, and which? Registers that are not there read as all ones on a PC's bus.

import Machine

/// Members of the 8250 family that behave differently to a driver.
public enum UARTModel: UInt8, Sendable {
    case none = 0
    /// No scratch register.
    case i8250
    case i16450
    /// A FIFO that loses data: used without.
    case i16550
    case i16550A

    /// Bytes the transmitter takes when its holding register is empty.
    public var transmitFIFO: Int { self == .i16550A ? 16 : 1 }

    /// The name Linux gives it (`serial8250` messages, setserial).
    public var name: StaticString {
        switch self {
        case .none: "unknown"
        case .i8250: "8250"
        case .i16450: "16450"
        case .i16550: "16550"
        case .i16550A: "16550A"
        }
    }
}

extension UART {
    /// Finds out which chip answers; leaves it with interrupts and FIFOs off. Boot only, a dozen accesses.
    public func detect() -> UARTModel {
        guard interruptEnableAnswers(), loopbackAnswers() else { return .none }
        let model = modelByFIFO()
        return model == .i16450 && !scratchAnswers() ? .i8250 : model
    }

    /// The upper half of the interrupt enable register is always zero, the lower keeps what is written.
    private func interruptEnableAnswers() -> Bool {
        interruptEnable.write8(0)
        guard interruptEnable.read8() & 0x0f == 0 else { return false }
        interruptEnable.write8(0x0f)
        let kept = interruptEnable.read8() & 0x0f
        interruptEnable.write8(0)
        return kept == 0x0f
    }

    /// In loopback the four outputs of the modem control register appear as the four modem inputs.
    private func loopbackAnswers() -> Bool {
        let saved = modemControl.read8()
        modemControl.write8(ModemControl.loopback | ModemControl.requestToSend | ModemControl.out2)
        let inputs = modemStatus.read8() & 0xf0
        modemControl.write8(saved & 0x0f)
        return inputs == ModemStatus.clearToSend | ModemStatus.carrierDetect
    }

    private func modelByFIFO() -> UARTModel {
        identification.write8(FIFOControl.enable)
        let working = identification.read8() & Identification.fifosWorking
        identification.write8(0)
        switch working {
        case 0b1100_0000: return .i16550A
        case 0b1000_0000: return .i16550
        default: return .i16450
        }
    }

    private func scratchAnswers() -> Bool {
        scratch.write8(0xa5)
        guard scratch.read8() == 0xa5 else { return false }
        scratch.write8(0x5a)
        return scratch.read8() == 0x5a
    }
}
