import Testing

@testable import Linux

@Suite struct SignalQueueTests {
    func record(_ number: UInt8, value: UInt64 = 0) -> SignalRecord {
        var information = SignalInformation(Signal(number), code: SignalCode.queue)
        information.words.1 = value
        return SignalRecord(information)
    }

    @Test func standardSignalsAreKeptOnce() {
        var queue = SignalQueue()
        #expect(queue.absorbs(.user1) == false)
        queue.append(record(10, value: 1))
        #expect(queue.absorbs(.user1) == true)
        #expect(queue.take(.user1).information.value == 1)
        #expect(queue.pending.isEmpty)
    }

    @Test func realTimeSignalsAreAllKeptInOrder() {
        var queue = SignalQueue()
        for value in 1...5 as ClosedRange<UInt64> {
            #expect(queue.absorbs(Signal(40)) == false)
            queue.append(record(40, value: value))
            queue.append(record(35, value: value + 10))
        }
        for value in 1...5 as ClosedRange<UInt64> {
            #expect(queue.next(notIn: SignalSet()) == Signal(35))
            #expect(queue.take(Signal(35)).information.value == value + 10)
        }
        #expect(queue.next(notIn: SignalSet()) == Signal(40))
        for value in 1...5 as ClosedRange<UInt64> {
            #expect(queue.take(Signal(40)).information.value == value)
        }
        #expect(queue.pending.isEmpty)
        queue.append(record(50))
        #expect(queue.take(Signal(50)).record != nil)
    }

    @Test func signalsOfInstructionsComeFirst() {
        var queue = SignalQueue()
        queue.insert(.hangUp)
        queue.insert(.segmentation)
        queue.insert(.interrupt)
        #expect(queue.next(notIn: SignalSet()) == .segmentation)
        #expect(queue.next(notIn: SignalSet(.segmentation)) == .hangUp)
        #expect(queue.next(notIn: SignalSet(.segmentation, .hangUp)) == .interrupt)
        #expect(queue.next(notIn: .all) == nil)
    }

    @Test func signalsWithoutRecordComeFromTheKernel() {
        var queue = SignalQueue()
        queue.insert(.interrupt)
        let taken = queue.take(.interrupt)
        #expect(taken.record == nil)
        #expect(taken.information.code == SignalCode.kernel)
    }

    @Test func removalHandsBackTheRecords() {
        var queue = SignalQueue()
        for number in [18, 40, 19, 40, 20] as [UInt8] { queue.append(record(number)) }
        queue.insert(.terminalInput)
        var count = 0
        var chain = queue.remove(.stopping)
        while let each = chain {
            chain = each.next
            count += 1
        }
        #expect(count == 2)
        #expect(queue.pending == SignalSet(.continue, Signal(40)))
        _ = queue.take(Signal(40))
        #expect(queue.pending.contains(Signal(40)))
        _ = queue.take(Signal(40))
        #expect(queue.pending == SignalSet(.continue))
        queue.append(record(45))
        _ = queue.take(.continue)
        #expect(queue.pending == SignalSet(Signal(45)))
    }

    @Test func longChainsAreReleasedWithoutRecursion() {
        var queue = SignalQueue()
        for _ in 0..<200_000 { queue.append(record(40)) }
        SignalRecord.release(chain: queue.remove(.all))
    }
}
