// Lines that move from CPU to CPU, wait for threads, come too often, or hang on the 8259s.

import Machine
import Primitives
import Testing

@testable import Interrupts

extension LineTests {
    @Suite struct Moves {
        private let machine = LineMachine()

        init() { Calls.clear() }

        private func handler(_ word: UInt, _ answer: IRQReturn = .handled) -> IRQHandler {
            switch answer {
            case .wakeThread:
                var handler = IRQHandler("waker", word: word) { _, word in
                    Calls.add(word)
                    return .wakeThread
                }
                handler.thread = word
                return handler
            default:
                return IRQHandler("test", word: word) { _, word in
                    Calls.add(word)
                    return .handled
                }
            }
        }

        @Test func affinityIsCheckedAndKept() throws {
            #expect(throws: IRQError.noSuchLine) { try IRQ.setAffinity(line: 999, CPUMask(0)) }
            #expect(throws: IRQError.noOnlineCPU) { try IRQ.setAffinity(line: 12, CPUMask()) }
            #expect(throws: IRQError.noOnlineCPU) { try IRQ.setAffinity(line: 12, CPUMask(200)) }
            let line = try IRQ.request(line: 12, handler: handler(1))
            #expect(IRQ.effectiveCPU(line: 12) == 0)
            try IRQ.setAffinity(line: 12, CPUMask(0))
            #expect(IRQ.affinity(line: 12) == CPUMask(0))
            try IRQ.free(line)
            #expect(IRQ.effectiveCPU(line: 12) == nil)
            #expect(IRQ.affinity(line: 12) == CPUMask(0))
        }

        @Test func redirectionWritesOneRegisterOnce() throws {
            let line = try IRQ.request(line: 13, handler: handler(1))
            let before = machine.io.writes(13).count
            let entry = try #require(machine.io.entry(13))
            let input = try #require(IOAPICs.input(line: 13))
            input.redirect(to: InterruptTarget(cpu: 1, apicID: 3, vector: entry.vector))
            let writes = machine.io.writes(13).dropFirst(before)
            #expect(writes.count == 1)
            #expect(writes.first?.isHigh == true)
            let after = try #require(machine.io.entry(13))
            #expect(after.destination == 3)
            #expect(after.vector == entry.vector)
            #expect(!after.isMasked)
            try IRQ.free(line)
        }

        @Test func aOneShotLineStaysMaskedUntilItsThreadHasEnded() throws {
            unsafe IRQThreadHook.wake = { word in
                Calls.add(word + 1)
                // The first wake-up counts, a second before the thread begins does not.
                return Calls.count(word + 1) == 1
            }
            let line = try IRQ.request(line: 22, flags: .oneShot, handler: handler(2, .wakeThread))
            #expect(machine.interrupt(22))
            #expect(Calls.count(3) == 1)
            #expect(machine.io.entry(22)?.isMasked == true)
            #expect(!machine.interrupt(22))
            IRQ.threadEnded(line: 22)
            #expect(machine.io.entry(22)?.isMasked == false)
            // One end too many changes nothing.
            IRQ.threadEnded(line: 22)
            #expect(machine.io.entry(22)?.isMasked == false)
            #expect(throws: IRQError.busy) { try IRQ.request(line: 22, flags: .shared, handler: handler(4)) }
            try IRQ.free(line)
        }

        @Test func aLineThatNobodyClaimsIsPolled() throws {
            unsafe IRQPollHook.start = { Calls.add(7) }
            defer { unsafe IRQPollHook.start = nil }
            let line = try IRQ.request(
                line: 23,
                handler: IRQHandler("silent", word: 6) { _, word in
                    Calls.add(word)
                    return .none
                })
            var count = 0
            while count < 200_000, machine.interrupt(23) { count += 1 }
            #expect(count == 100_000)
            #expect(Calls.count(7) == 1)
            var again = false
            ContextMaker.withHardInterrupt { again = IRQ.poll($0) }
            #expect(again)
            #expect(Calls.count(6) == 100_001)
            try IRQ.enable(line: 23)
            ContextMaker.withHardInterrupt { again = IRQ.poll($0) }
            #expect(!again)
            try IRQ.free(line)
        }

        @Test func vectorsKeepTheirNumberWhenTheyMove() throws {
            let first = try VectorAllocator.allocate(in: CPUMask(0))
            #expect(throws: IRQError.noVector) { try VectorAllocator.move(first, to: CPUMask(0)) }
            VectorAllocator.free(first)
        }
    }
}
