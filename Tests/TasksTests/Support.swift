// What the tests of threads share.

import Synchronization
import Tasks
import Testing

/// All tests that run simulated machines, one after the other.
@Suite(.serialized) struct SimulatedMachineTests {}

/// A number that threads count up.
final class Counter: Sendable {
    private let storage = Atomic<Int>(0)
    var value: Int { storage.load(ordering: .sequentiallyConsistent) }

    @discardableResult
    func add(_ amount: Int = 1) -> Int {
        storage.wrappingAdd(amount, ordering: .sequentiallyConsistent).newValue
    }

    func set(_ value: Int) { storage.store(value, ordering: .sequentiallyConsistent) }
}

/// Handles that threads put down. Simulated CPUs take turns, so a plain array will do.
final class HandleList: @unchecked Sendable {
    private(set) var all: [Tasks.Thread] = []
    func append(_ thread: Tasks.Thread) { all.append(thread) }
}
