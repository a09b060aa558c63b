// Threads of a case: started together, waited for together.

import Primitives
import Tasks

/// What threads tell who waits for them.
final class Finished: Sendable {
    let completion = Completion()
}

/// Starts `count` threads that run `body(index)`, bound to the CPUs that `cpu` names, and waits until all have
/// returned.
func runThreads(
    _ count: Int, _ task: borrowing TaskContext, _ check: inout Checker, on cpu: ((Int) -> Int)? = nil,
    _ body: @escaping @Sendable (Int, borrowing TaskContext) -> Void
) {
    let finished = Finished()
    var started = 0
    for index in 0..<count {
        guard
            let thread = try? Thread.create(
                name: ThreadName("test/", number: index),
                start: { task in
                    body(index, task)
                    finished.completion.complete()
                })
        else {
            check.expect(false, "thread \(index) could not be made")
            continue
        }
        if let cpu { thread.bind(to: CPUMask(cpu(index))) }
        thread.start()
        started += 1
    }
    for _ in 0..<started { finished.completion.wait(task) }
}

/// Runs `body(cpu)` in a thread on each online CPU, and waits for all.
func runOnEachCPU(
    _ task: borrowing TaskContext, _ check: inout Checker,
    _ body: @escaping @Sendable (Int, borrowing TaskContext) -> Void
) {
    var cpus: [Int] = []
    CPUs.online.forEach { cpus.append($0) }
    let numbers = cpus
    runThreads(numbers.count, task, &check, on: { numbers[$0] }) { index, task in body(numbers[index], task) }
}
