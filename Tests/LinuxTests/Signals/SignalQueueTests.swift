import Testing

@testable import Linux

@Suite struct SignalQueueTests {
    func record(_ number: UInt8, value: UInt64 = 0) -> SignalRecord {
        var information = SignalInformation(Signal(number), code: SignalCode.queue)
        information.words.1 = value
        return SignalRecord(information)
    }

    /// What taking a signal gives.
    func take(_ signal: Signal, _ queue: inout SignalQueue) -> (
        information: SignalInformation, record: SignalRecord?
    ) {
        var information = SignalInformation(number: 0, code: 0)
        let record = queue.take(signal, &information)
        return (information, record)
    }

    func insert(_ information: SignalInformation, _ queue: inout SignalQueue) -> Bool {
        queue.insert(information, sender: nil)
    }

    func information(_ signal: Signal, value: UInt64) -> SignalInformation {
        var information = SignalInformation(signal, code: SignalCode.queue)
        information.words.1 = value
        return information
    }

    @Test func oneStandardSignalNeedsNoRecord() {
        var queue = SignalQueue()
        #expect(insert(information(.user1, value: 7), &queue))
        #expect(queue.absorbs(.user1))
        // The place is taken, and real-time signals never get it.
        #expect(!insert(information(.user2, value: 8), &queue))
        #expect(!queue.pending.contains(.user2))
        queue.append(record(12, value: 8))
        let first = take(.user1, &queue)
        #expect(first.information.value == 7 && first.information.signal == .user1)
        #expect(first.record == nil)
        #expect(queue.pending == SignalSet(.user2))
        #expect(!insert(information(Signal(40), value: 9), &queue))
        #expect(insert(information(.hangUp, value: 10), &queue))
        #expect(take(.user2, &queue).information.value == 8)
        #expect(take(.hangUp, &queue).information.value == 10)
        #expect(queue.pending.isEmpty)
    }

    @Test func removalEmptiesThePlace() {
        var queue = SignalQueue()
        #expect(insert(information(.terminalStop, value: 1), &queue))
        #expect(queue.remove(.stopping) == nil)
        #expect(queue.pending.isEmpty)
        #expect(insert(information(.user1, value: 2), &queue))
        #expect(queue.remove(.stopping) == nil)
        #expect(take(.user1, &queue).information.value == 2)
    }

    @Test func standardSignalsAreKeptOnce() {
        var queue = SignalQueue()
        #expect(queue.absorbs(.user1) == false)
        queue.append(record(10, value: 1))
        #expect(queue.absorbs(.user1) == true)
        #expect(take(.user1, &queue).information.value == 1)
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
            #expect(take(Signal(35), &queue).information.value == value + 10)
        }
        #expect(queue.next(notIn: SignalSet()) == Signal(40))
        for value in 1...5 as ClosedRange<UInt64> {
            #expect(take(Signal(40), &queue).information.value == value)
        }
        #expect(queue.pending.isEmpty)
        queue.append(record(50))
        #expect(take(Signal(50), &queue).record != nil)
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
        let taken = take(.interrupt, &queue)
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
        _ = take(Signal(40), &queue)
        #expect(queue.pending.contains(Signal(40)))
        _ = take(Signal(40), &queue)
        #expect(queue.pending == SignalSet(.continue))
        queue.append(record(45))
        _ = take(.continue, &queue)
        #expect(queue.pending == SignalSet(Signal(45)))
    }

    @Test func longChainsAreReleasedWithoutRecursion() {
        var queue = SignalQueue()
        for _ in 0..<200_000 { queue.append(record(40)) }
        SignalRecord.release(chain: queue.remove(.all))
    }
}
