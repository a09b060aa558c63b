// What the thread `cpuhp` is asked to do.

import Machine
import Primitives
import Synchronization
import Tasks

/// One CPU up or down.
final class HotplugRequest: @unchecked Sendable {
    let cpu: Int
    let online: Bool
    let done = Completion()
    /// Written by the thread before `done`.
    private(set) var failure: Errno?

    init(cpu: Int, online: Bool) {
        self.cpu = cpu
        self.online = online
    }

    func fail(_ error: Errno) { failure = error }
}

@safe struct HotplugState: ~Copyable, @unchecked Sendable {
    /// `CPUState` of each CPU.
    let states: PerCPU<Atomic<UInt8>>
    /// The CPU that parked last.
    let parked = Atomic<Int>(-1)
    private let requests = SpinLock<[HotplugRequest]>([])
    /// Written at boot.
    private let thread = unsafe Cell<Thread?>(nil)

    init(cpus: Int) { states = PerCPU(count: cpus) { _ in Atomic(CPUState.online.rawValue) } }

    /// Task context.
    func add(_ request: HotplugRequest) {
        requests.withLock { $0.append(request) }
        _ = unsafe thread.address.pointee?.wake()
    }

    /// Boot only.
    func setThread(_ thread: Thread) { unsafe self.thread.address.pointee = thread }

    /// The next request, waited for.
    func take(_ task: borrowing TaskContext) -> HotplugRequest {
        while true {
            Thread.parkIdle(task) { requests.withLock { !$0.isEmpty } }
            let first = requests.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let first { return first }
        }
    }
}
