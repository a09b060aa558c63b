import Machine
import Testing

@testable import Devices

/// The console has one port at a time.
@Suite(.serialized) struct EarlyConsoleTests {
    private let hardware = SimulatedHardware()

    init() { SimulatedCPU(index: 0).bind() }

    @Test func lineFeedBecomesCarriageReturnLineFeed() {
        let chip = SimulatedUART(base: 0x1000)
        #expect(EarlyConsole.initialize(base: 0x1000))
        for byte in "ab\nc".utf8 { EarlyConsole.put(byte) }
        #expect(chip.sent == Array("ab\r\nc".utf8))
        #expect(chip.state.withLock { $0.lost } == 0)
        EarlyConsole.remove()
        EarlyConsole.put(65)
        #expect(chip.sent.count == 5)
    }

    @Test func speedIsSet() {
        let chip = SimulatedUART(base: 0x1010)
        #expect(EarlyConsole.initialize(base: 0x1010, baud: 9600))
        #expect(chip.state.withLock { $0.divisor } == 12)
        #expect(chip.state.withLock { $0.lineControl } == 3)
        EarlyConsole.remove()
    }

    @Test func nothingThere() {
        #expect(!EarlyConsole.initialize(base: 0x1020))
        EarlyConsole.put(65)
    }

    @Test func aStuckChipDoesNotStopTheKernel() {
        let chip = SimulatedUART(base: 0x1030)
        EarlyConsole.initialize(base: 0x1030)
        chip.hold(true)
        for _ in 0..<20 { EarlyConsole.put(120) }
        let reads = chip.state.withLock { $0.reads }
        #expect(reads < 101_000)
        chip.hold(false)
        EarlyConsole.put(121)
        #expect(chip.sent == Array("xy".utf8))
        EarlyConsole.remove()
    }

    @Test func detection() {
        _ = SimulatedUART(base: 0x1040)
        _ = SimulatedUART(base: 0x1050, hasFIFO: false)
        _ = SimulatedUART(base: 0x1060, hasFIFO: false, hasScratch: false)
        #expect(UART(base: 0x1040).detect() == .i16550A)
        #expect(UART(base: 0x1050).detect() == .i16450)
        #expect(UART(base: 0x1060).detect() == .i8250)
        #expect(UART(base: 0x1070).detect() == .none)
    }

    /// The console polls the same chip while the driver sends: nothing is lost, nothing doubled.
    @Test func consoleAndDriverShareTheChip() {
        let bench = SerialBench(base: 0x11a0)
        EarlyConsole.initialize(base: 0x11a0)
        bench.port.switchOn()
        for byte in UInt8(100)..<120 { _ = bench.port.put(byte) }
        bench.port.startTransmitting()
        for byte in UInt8(200)..<210 { EarlyConsole.put(byte) }
        bench.interrupt()
        #expect(bench.chip.sent.filter { $0 < 200 } == Array(100..<120))
        #expect(bench.chip.sent.filter { $0 >= 200 } == Array(200..<210))
        #expect(bench.chip.state.withLock { $0.lost } == 0)
        EarlyConsole.remove()
    }
}
