// From a device's line to its handlers and back, by the test port (TestPort.swift).

import CMachine
import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks

enum DeviceLineBench {
    private static let line = TestPort.line

    /// When the handler was entered, or its thread ran. Written in the interrupt, on the CPU that reads it.
    nonisolated(unsafe) private static var entered: UInt64 = 0

    static func run(_ task: borrowing TaskContext) {
        guard TestPort.open() else { return TestReport.line("bench: no test port") }
        for count in [1, 2, 4, 8] as [UInt] { chain(count) }
        threaded(task)
        registration()
    }

    /// The first handler serves the chip, the others say that it was not theirs.
    private static func handler(_ index: UInt) -> IRQHandler {
        if index > 0 { return IRQHandler("bench", word: index) { @Sendable _, _ in .none } }
        return IRQHandler("bench", word: index) { @Sendable _, _ in
            unsafe DeviceLineBench.entered = TSC.read()
            TestPort.acknowledge()
            return .handled
        }
    }

    private static func chain(_ count: UInt) {
        do throws(IRQError) {
            var registrations: [IRQ.Registration] = []
            for index in 0..<count {
                registrations.append(try IRQ.request(line: line, flags: .shared, handler: handler(index)))
            }
            var whole = Measurement()
            var reached = Measurement()
            for _ in 0..<Measurement.rounds {
                let start = TSC.read()
                TestPort.raise()
                let end = TSC.read()
                TestPort.lower()
                whole.add(end &- start)
                reached.add(unsafe entered &- start)
            }
            for registration in registrations { try IRQ.free(registration) }
            switch count {
            case 1:
                reached.report("line_to_handler")
                whole.report("line_whole_1")
            case 2: whole.report("line_whole_2")
            case 4: whole.report("line_whole_4")
            default: whole.report("line_whole_8")
            }
        } catch { TestReport.line("bench: line \(line) cannot be had") }
    }

    /// From the trigger to the first instruction of the thread's function.
    private static func threaded(_ task: borrowing TaskContext) {
        do throws(IRQError) {
            let handler = IRQHandler("bench") { @Sendable _, _ in
                TestPort.acknowledge()
                return .wakeThread
            }
            let threaded = try ThreadedIRQ.request(line: line, handler: handler, task) { @Sendable _, _ in
                unsafe DeviceLineBench.entered = TSC.read()
            }
            var reached = Measurement()
            for _ in 0..<Measurement.rounds {
                unsafe entered = 0
                let start = TSC.read()
                TestPort.raise()
                for _ in 0..<1000 where unsafe entered == 0 { Scheduler.yield(task) }
                TestPort.lower()
                reached.add(unsafe entered &- start)
            }
            reached.report("line_to_thread")
            try threaded.free(task)
        } catch { TestReport.line("bench: no threaded handler") }
    }

    private static func registration() {
        Measurement.run("request_free") {
            if let one = try? IRQ.request(line: line, handler: handler(0)) { try? IRQ.free(one) }
        }
    }
}
