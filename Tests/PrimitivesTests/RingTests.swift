import Foundation
import Synchronization
import Testing

@testable import Primitives

@Suite struct RingTests {
    @Test func firstInFirstOut() {
        let ring = Ring<UInt8>(capacity: 4, filler: 0)
        #expect(ring.take() == nil)
        for value in UInt8(1)...4 { #expect(ring.put(value) == true) }
        #expect(ring.put(5) == false)
        #expect(ring.count == 4)
        #expect(ring.room == 0)
        #expect(ring.peek() == 1)
        #expect(ring.take() == 1)
        #expect(ring.put(5) == true)
        #expect((0..<4).compactMap { _ in ring.take() } == [2, 3, 4, 5])
        #expect(ring.isEmpty == true)
    }

    @Test func wrapsManyTimes() {
        let ring = Ring<Int>(capacity: 8, filler: 0)
        for value in 0..<1000 {
            #expect(ring.put(value) == true)
            #expect(ring.put(-value) == true)
            #expect(ring.take() == value)
            #expect(ring.take() == -value)
        }
    }

    @Test func removeAllEmpties() {
        let ring = Ring<UInt8>(capacity: 4, filler: 0)
        for value in UInt8(0)..<3 { _ = ring.put(value) }
        #expect(ring.removeAll() == 3)
        #expect(ring.isEmpty == true)
        #expect(ring.put(9) == true)
        #expect(ring.take() == 9)
    }

    /// Holds a ring where two threads can reach it.
    final class Shared: Sendable {
        let ring = Ring<Int>(capacity: 16, filler: 0)
    }

    @Test func producerAndConsumerOnTwoThreads() {
        let shared = Shared()
        let total = 200_000
        let producer = Thread {
            var next = 0
            while next < total { if shared.ring.put(next) { next += 1 } }
        }
        producer.start()
        var expected = 0
        while expected < total {
            guard let value = shared.ring.take() else { continue }
            guard value == expected else {
                Issue.record("\(value) came in place of \(expected)")
                return
            }
            expected += 1
        }
        #expect(shared.ring.isEmpty == true)
    }
}
