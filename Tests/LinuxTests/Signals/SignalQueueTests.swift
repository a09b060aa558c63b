import Testing

@testable import Linux

@Suite struct SignalQueueTests {
    /// A queue that expectations can hold.
    final class Queue {
        private var queue = SignalQueue()

        var pending: SignalSet { queue.pending }
        func absorbs(_ signal: Signal) -> Bool { queue.absorbs(signal) }
        func insert(_ signal: Signal) { queue.insert(signal) }
        func insert(_ information: SignalInformation) -> Bool { queue.insert(information, sender: nil) }
        func append(_ record: SignalRecord) { queue.append(record) }
        func next(notIn blocked: SignalSet) -> Signal? { queue.next(notIn: blocked) }
        func remove(_ signals: SignalSet) -> SignalRecord? { queue.remove(signals) }
        func take(_ signal: Signal) -> (information: SignalInformation, record: SignalRecord?) {
            var information = SignalInformation(number: 0, code: 0)
            let record = queue.take(signal, &information)
            return (information, record)
        }
    }

    func information(_ signal: Signal, value: UInt64) -> SignalInformation {
        var information = SignalInformation(signal, code: SignalCode.queue)
        information.words.1 = value
        return information
    }

    func record(_ number: UInt8, value: UInt64 = 0) -> SignalRecord {
        var information = SignalInformation(Signal(number), code: SignalCode.queue)
        information.words.1 = value
        return SignalRecord(information)
    }

    @Test func oneStandardSignalNeedsNoRecord() {
        let queue = Queue()
        #expect(queue.insert(information(.user1, value: 7)))
        #expect(queue.absorbs(.user1))
        // The place is taken, and real-time signals never get it.
        #expect(!queue.insert(information(.user2, value: 8)))
        #expect(!queue.pending.contains(.user2))
        queue.append(record(12, value: 8))
        let first = queue.take(.user1)
        #expect(first.information.value == 7 && first.information.signal == .user1)
        #expect(first.record == nil)
        #expect(queue.pending == SignalSet(.user2))
        #expect(!queue.insert(information(Signal(40), value: 9)))
        #expect(queue.insert(information(.hangUp, value: 10)))
        #expect(queue.take(.user2).information.value == 8)
        #expect(queue.take(.hangUp).information.value == 10)
        #expect(queue.pending.isEmpty)
    }

    @Test func removalEmptiesThePlace() {
        let queue = Queue()
        #expect(queue.insert(information(.terminalStop, value: 1)))
        #expect(queue.remove(.stopping) == nil)
        #expect(queue.pending.isEmpty)
        #expect(queue.insert(information(.user1, value: 2)))
        #expect(queue.remove(.stopping) == nil)
        #expect(queue.take(.user1).information.value == 2)
    }

    @Test func standardSignalsAreKeptOnce() {
        let queue = Queue()
        #expect(queue.absorbs(.user1) == false)
        queue.append(record(10, value: 1))
        #expect(queue.absorbs(.user1) == true)
        #expect(queue.take(.user1).information.value == 1)
        #expect(queue.pending.isEmpty)
    }

    @Test func realTimeSignalsAreAllKeptInOrder() {
        let queue = Queue()
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
        let queue = Queue()
        queue.insert(.hangUp)
        queue.insert(.segmentation)
        queue.insert(.interrupt)
        #expect(queue.next(notIn: SignalSet()) == .segmentation)
        #expect(queue.next(notIn: SignalSet(.segmentation)) == .hangUp)
        #expect(queue.next(notIn: SignalSet(.segmentation, .hangUp)) == .interrupt)
        #expect(queue.next(notIn: .all) == nil)
    }

    @Test func signalsWithoutRecordComeFromTheKernel() {
        let queue = Queue()
        queue.insert(.interrupt)
        let taken = queue.take(.interrupt)
        #expect(taken.record == nil)
        #expect(taken.information.code == SignalCode.kernel)
    }

    @Test func removalHandsBackTheRecords() {
        let queue = Queue()
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
        let queue = Queue()
        for _ in 0..<200_000 { queue.append(record(40)) }
        SignalRecord.release(chain: queue.remove(.all))
    }
}
