// What the tests of deferred work share.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks

/// What threads and works of one case share.
final class Shared: Sendable {
    let completion = Completion()
    let count = Atomic<Int>(0)
    let flag = Atomic<Bool>(false)
    let queue = WaitQueue()
}

/// A work and what its function notes and does.
@safe final class NotedWork: @unchecked Sendable {
    let runs = Atomic<Int>(0)
    let claims = Atomic<Int>(0)
    let inside = Atomic<Int>(0)
    let overlaps = Atomic<Int>(0)
    let lastCPU = Atomic<Int>(-1)
    private let pointer: UnsafeMutablePointer<Work>
    /// What the function does besides.
    private let body: (NotedWork, borrowing TaskContext) -> Void

    init(_ body: @escaping (NotedWork, borrowing TaskContext) -> Void = { _, _ in Spin.interleave() }) {
        self.body = body
        unsafe pointer = .allocate(capacity: 1)
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        unsafe pointer.initialize(
            to: Work("noted", word: word) { task, word in
                unsafe Unmanaged<NotedWork>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
                    ._withUnsafeGuaranteedRef { $0.run(task) }
            })
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    func with<R>(_ use: (borrowing Work) -> R) -> R { use(unsafe pointer.pointee) }

    @discardableResult
    func queue(on queue: WorkQueue, cpu: Int? = nil) -> Bool {
        let isQueued = with { work in cpu.map { queue.queue(work, on: $0) } ?? queue.queue(work) }
        if isQueued { claims.wrappingAdd(1, ordering: .relaxed) }
        return isQueued
    }

    private func run(_ task: borrowing TaskContext) {
        if inside.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue != 0 {
            overlaps.wrappingAdd(1, ordering: .relaxed)
        }
        runs.wrappingAdd(1, ordering: .relaxed)
        lastCPU.store(CPU.index, ordering: .relaxed)
        body(self, task)
        inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }

    var ran: Int { runs.load(ordering: .acquiring) }
    var queued: Int { claims.load(ordering: .acquiring) }
}
