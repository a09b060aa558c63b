import Machine
import Synchronization
import Testing

@testable import Devices

/// A keyboard controller with as much life as its set-up needs. `isBroken` never takes a byte; without a mouse port the
/// configuration does not change with it.
final class SimulatedI8042: SimulatedPortDevice {
    struct State {
        var configuration: UInt8 = 0x61
        var output: [UInt8] = []
        var awaitsConfiguration = false
        var accesses = 0
    }
    let state = Mutex(State())
    let hasMouse: Bool
    let status: UInt8
    let selfTest: UInt8

    init(hasMouse: Bool = true, status: UInt8 = 0, selfTest: UInt8 = 0x55) {
        self.hasMouse = hasMouse
        self.status = status
        self.selfTest = selfTest
        SimulatedBus.attach(self, to: 0x60...0x64)
    }

    func read(_ port: UInt16, width: Int) -> UInt32 {
        state.withLock { state in
            state.accesses += 1
            if port == 0x64 { return UInt32(status | (state.output.isEmpty ? 0 : 1)) }
            return state.output.isEmpty ? 0 : UInt32(state.output.removeFirst())
        }
    }

    func write(_ port: UInt16, _ value: UInt32, width: Int) {
        state.withLock { state in
            if port == 0x60 {
                if state.awaitsConfiguration { state.configuration = UInt8(truncatingIfNeeded: value) }
                state.awaitsConfiguration = false
                return
            }
            switch value {
            case 0x20: state.output.append(state.configuration)
            case 0x60: state.awaitsConfiguration = true
            case 0xa7 where hasMouse: state.configuration |= 0x20
            case 0xa8 where hasMouse: state.configuration &= ~0x20
            case 0xa9, 0xab: state.output.append(0)
            case 0xaa: state.output.append(selfTest)
            default: break
            }
        }
    }
}

@Suite(.serialized) struct I8042Tests {
    private let hardware = SimulatedHardware()

    init() {
        SimulatedCPU(index: 0).bind()
        // Every wait is over at the second look.
        SimulatedRegisters.runTSC(step: 1_000_000)
    }

    @Test func keyboardAndMouse() {
        let device = SimulatedI8042()
        let ports = I8042().detect()
        #expect(ports?.hasKeyboard == true)
        #expect(ports?.hasMouse == true)
        // Translated, both ports off and silent.
        #expect(ports?.configuration == 0x70)
        #expect(device.state.withLock { $0.configuration } == 0x70)
    }

    @Test func withoutAMousePort() {
        _ = SimulatedI8042(hasMouse: false)
        let ports = I8042().detect()
        #expect(ports?.hasKeyboard == true)
        #expect(ports?.hasMouse == false)
    }

    @Test func nothingThere() { #expect(I8042().detect() == nil) }

    @Test func oneThatFailsItsTest() {
        _ = SimulatedI8042(selfTest: 0xfc)
        #expect(I8042().detect() == nil)
    }

    /// The output register never empties, or the input register never does: the set-up ends all the same.
    @Test(arguments: [UInt8(1), 2]) func oneThatIsStuck(status: UInt8) {
        let device = SimulatedI8042(status: status)
        #expect(I8042().detect() == nil)
        #expect(device.state.withLock { $0.accesses } < 20_000)
    }
}
