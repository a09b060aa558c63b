import Machine
import Testing

@testable import Devices

/// A port at a simulated chip, its interrupt served whenever its line is up.
struct SerialBench {
    let chip: SimulatedUART
    let port: SerialPort

    init(base: UInt16, hasFIFO: Bool = true) {
        SimulatedCPU(index: 0).bind()
        chip = SimulatedUART(base: base, hasFIFO: hasFIFO)
        let uart = UART(base: base)
        port = SerialPort(uart, model: uart.detect(), index: 0, line: 4)
        port.switchOn()
    }

    /// Serves interrupts until the line is down; how often.
    @discardableResult
    func interrupt() -> Int {
        var count = 0
        while chip.interruptLine, count < 1000 {
            switch port.serve() {
            case .nothing: Issue.record("an interrupt of nobody")
            case .served: break
            // What the tasklet does.
            case .transmitterIsEmpty: port.startTransmitting()
            }
            count += 1
        }
        return count
    }

    func received() -> [ReceivedByte] {
        var all: [ReceivedByte] = []
        while let byte = port.takeReceived() { all.append(byte) }
        return all
    }

    func events() -> SerialEvents {
        SerialEvents(rawValue: unsafe port.state.pointee.events.exchange(0, ordering: .relaxed))
    }
}

@Suite(.serialized) struct SerialPortTests {
    private let hardware = SimulatedHardware()

    @Test func receivesWhatComes() {
        let bench = SerialBench(base: 0x1100)
        bench.chip.receive(Array("hello".utf8))
        #expect(bench.interrupt() == 1)
        #expect(bench.received().map(\.byte) == Array("hello".utf8))
        #expect(bench.events() == .received)
        #expect(bench.port.statistics.received == 5)
        #expect(bench.port.serve() == .nothing)
    }

    @Test func aFullRingCountsWhatItLoses() {
        let bench = SerialBench(base: 0x1110)
        for _ in 0..<41 {
            bench.chip.receive([UInt8](repeating: 120, count: 100))
            bench.interrupt()
        }
        #expect(bench.received().count == 4096)
        #expect(bench.port.statistics.bufferOverruns == 4)
        #expect(bench.port.statistics.received == 4100)
    }

    @Test(arguments: [
        (UInt8(0x10), ReceivedByte.Condition.breakReceived), (0x04, .parityError), (0x08, .framingError),
    ])
    func damage(status: UInt8, condition: ReceivedByte.Condition) {
        let bench = SerialBench(base: 0x1120)
        bench.chip.state.withLock {
            $0.received = [0, 65]
            $0.errors = [status, 0]
        }
        bench.interrupt()
        #expect(bench.received() == [ReceivedByte(0, condition), ReceivedByte(65)])
        let statistics = bench.port.statistics
        #expect(statistics.breaks + statistics.parityErrors + statistics.framingErrors == 1)
    }

    @Test func overrunsOfTheChipAreCounted() {
        let bench = SerialBench(base: 0x1130)
        bench.chip.state.withLock {
            $0.received = [65]
            $0.errors = [2]
        }
        bench.interrupt()
        #expect(bench.received() == [ReceivedByte(65)])
        #expect(bench.port.statistics.overruns == 1)
    }

    @Test(arguments: [true, false]) func sendsAll(hasFIFO: Bool) {
        let bench = SerialBench(base: 0x1140, hasFIFO: hasFIFO)
        let text = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        for byte in text { #expect(bench.port.put(byte)) }
        bench.port.startTransmitting()
        let interrupts = bench.interrupt()
        #expect(bench.chip.sent == text)
        #expect(bench.chip.state.withLock { $0.lost } == 0)
        // Each fills the FIFO once; the first was filled when it began.
        #expect(interrupts >= 1000 / (hasFIFO ? 16 : 1) - 1)
        #expect(bench.port.statistics.transmitted == 1000)
        #expect(bench.events() == .transmitted)
        #expect(bench.chip.state.withLock { $0.interruptEnable } == 0b1101)
        #expect(bench.port.isTransmitterIdle)
    }

    @Test func aSlowWireIsNeverOverrun() {
        let bench = SerialBench(base: 0x1150)
        bench.chip.hold(true)
        for byte in UInt8(0)..<40 { _ = bench.port.put(byte) }
        bench.port.startTransmitting()
        bench.port.startTransmitting()
        #expect(bench.chip.state.withLock { $0.transmitFIFO.count } == 16)
        #expect(bench.chip.state.withLock { $0.lost } == 0)
        #expect(!bench.port.isTransmitterIdle)
        bench.chip.hold(false)
        bench.interrupt()
        #expect(bench.chip.sent == Array(0..<40))
    }

    @Test func stoppedOutputWaits() {
        let bench = SerialBench(base: 0x1160)
        bench.port.setStopped(true)
        _ = bench.port.put(65)
        bench.port.startTransmitting()
        bench.interrupt()
        #expect(bench.chip.sent == [])
        bench.port.sendUrgently(0x13)
        #expect(bench.chip.sent == [0x13])
        bench.port.setStopped(false)
        #expect(bench.chip.sent == [0x13, 65])
    }

    @Test func flushDropsWhatWaits() {
        let bench = SerialBench(base: 0x1170)
        bench.port.setStopped(true)
        for byte in UInt8(0)..<40 { _ = bench.port.put(byte) }
        bench.port.flushTransmit()
        bench.port.setStopped(false)
        bench.interrupt()
        #expect(bench.chip.sent == [])
        #expect(bench.events() == .transmitted)
    }

    @Test func lineSettings() {
        let bench = SerialBench(base: 0x1180)
        var line = SerialLine()
        line.baud = 9600
        line.dataBits = 7
        line.parity = .even
        line.hasTwoStopBits = true
        bench.port.setLine(line)
        bench.chip.state.withLock {
            #expect($0.divisor == 12)
            #expect($0.lineControl == 0b11110)
            #expect($0.interruptEnable == 0b1101)
        }
        bench.port.setBreak(true)
        #expect(bench.chip.state.withLock { $0.lineControl } == 0b101_1110)
        bench.port.setBreak(false)
        #expect(bench.chip.state.withLock { $0.lineControl } == 0b11110)
    }

    @Test func modemLines() {
        let bench = SerialBench(base: 0x1190)
        #expect(bench.port.modemLines & 0x6 == 0x6)
        #expect(bench.port.modemLines & 0x160 == 0x160)
        bench.port.setModemLines(0)
        #expect(bench.port.modemLines & 0x6 == 0)
        bench.chip.receive([65])
        #expect(bench.interrupt() == 1)
    }
}
