import Foundation
import Primitives
import Synchronization
import Testing

private struct Node: ~Copyable {
    let link = LockFreeLink()
    var producer = 0
    var number = 0
}

@Suite struct LockFreeListTests {
    @Test func saysWhetherItWasEmptyAndKeepsOrder() {
        let list = LockFreeList<Node>()
        let nodes = UnsafeMutablePointer<Node>.allocate(capacity: 5)
        for index in 0..<5 {
            unsafe (nodes + index).initialize(to: Node(number: index))
            #expect(unsafe list.add(nodes + index) == (index == 0))
        }
        var seen: [Int] = []
        unsafe list.drain { unsafe seen.append($0.pointee.number) }
        #expect(seen == [0, 1, 2, 3, 4])
        let emptyNow = list.isEmpty
        #expect(emptyNow)
        unsafe list.drain { _ in Issue.record("drained twice") }
        unsafe nodes.deinitialize(count: 5).deallocate()
    }

    /// Four producers, one consumer: each node comes out once, each producer's in its order, and as many
    /// "was empty" answers as the consumer found non-empty lists.
    @Test func manyProducers() async {
        let each = 20_000
        nonisolated(unsafe) let nodes = UnsafeMutablePointer<Node>.allocate(capacity: each * 4)
        for index in 0..<each * 4 {
            unsafe (nodes + index).initialize(to: Node(producer: index / each, number: index % each))
        }
        let shared = Shared()
        await withTaskGroup(of: Void.self) { group in
            for producer in 0..<4 {
                group.addTask {
                    for index in 0..<each where unsafe shared.list.add(nodes + producer * each + index) {
                        shared.wakes.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
            group.addTask {
                var next = [0, 0, 0, 0]
                var batches = 0
                while next.reduce(0, +) < each * 4 {
                    var any = false
                    unsafe shared.list.drain {
                        any = true
                        let producer = unsafe $0.pointee.producer
                        #expect(unsafe $0.pointee.number == next[producer])
                        next[producer] += 1
                    }
                    if any { batches += 1 }
                }
                #expect(batches == shared.wakes.load(ordering: .relaxed))
            }
        }
        unsafe nodes.deinitialize(count: each * 4).deallocate()
    }

    private final class Shared: Sendable {
        let list = LockFreeList<Node>()
        let wakes = Atomic<Int>(0)
    }
}
