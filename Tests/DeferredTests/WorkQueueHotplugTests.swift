// Works of a CPU that goes and comes back.

import CrossCPU
import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

private typealias Kernel = SimulatedKernel

extension WorkQueueTests {
    @Suite(.serialized) struct HotplugTests {
        private func turn(_ cpu: Int, online: Bool, _ task: borrowing TaskContext) {
            do throws(Errno) { try CPUHotplug.set(cpu, online: online, task) } catch {
                Kernel.check(false, "CPU \(cpu) online \(online): error \(error.code)")
            }
        }

        /// One sleeps in its function while its CPU goes; others wait in the list, or are queued for that CPU when it has
        /// gone. All are done before it is back, and what comes afterwards is done on it again.
        @Test func worksOfACPUThatGoesAreDoneElsewhere() {
            let failure = Kernel.underSeeds(60, cpus: [2, 4]) { task in
                let queue = try! WorkQueue("test")
                for _ in 0..<2 {
                    let cpu = CPUs.count - 1
                    let shared = Shared()
                    let endedOn = Shared()
                    let sleeper = NotedWork { _, task in
                        shared.count.store(1, ordering: .releasing)
                        shared.queue.waitUninterruptibly(task) { shared.flag.load(ordering: .acquiring) }
                        endedOn.count.store(CPU.index, ordering: .releasing)
                    }
                    sleeper.queue(on: queue, cpu: cpu)
                    while shared.count.load(ordering: .acquiring) == 0 { Scheduler.yield(task) }
                    turn(cpu, online: false, task)
                    let late = (0..<4).map { _ in NotedWork() }
                    for work in late { work.queue(on: queue, cpu: cpu) }
                    shared.flag.store(true, ordering: .releasing)
                    shared.queue.wakeAll()
                    queue.flush(task)
                    Kernel.check(!CPUs.isOnline(cpu), "the CPU came back")
                    Kernel.check(
                        sleeper.ran == 1 && endedOn.count.load(ordering: .acquiring) != cpu, "stayed")
                    for work in late {
                        Kernel.check(work.ran == 1 && work.lastCPU.load(ordering: .relaxed) != cpu, "late")
                    }
                    turn(cpu, online: true, task)
                    let back = NotedWork()
                    back.queue(on: queue, cpu: cpu)
                    back.with { _ = $0.flush(task) }
                    Kernel.check(back.lastCPU.load(ordering: .relaxed) == cpu, "not done where it is queued")
                }
                queue.destroy(task)
            }
            #expect(failure == nil)
        }

        /// Works that sleep, queued for all CPUs without an end, while one CPU comes and goes: each is done once.
        @Test func nothingIsLostUnderLoad() {
            let failure = Kernel.underSeeds(30, cpus: [2, 4]) { task in
                let queue = try! WorkQueue("test")
                let works = (0..<CPUs.count * 3).map { _ in
                    NotedWork { noted, task in
                        if noted.ran % 2 == 0 { Scheduler.yield(task) } else { Spin.interleave() }
                    }
                }
                for round in 0..<6 {
                    let cpu = 1 + round % (CPUs.count - 1)
                    for (index, work) in works.enumerated() { work.queue(on: queue, cpu: index % CPUs.count) }
                    turn(cpu, online: false, task)
                    for (index, work) in works.enumerated() { work.queue(on: queue, cpu: index % CPUs.count) }
                    turn(cpu, online: true, task)
                }
                queue.flush(task)
                for work in works {
                    Kernel.check(work.ran == work.queued, "queued \(work.queued) times, ran \(work.ran)")
                    Kernel.check(work.overlaps.load(ordering: .relaxed) == 0, "ran twice at once")
                }
                queue.destroy(task)
            }
            #expect(failure == nil)
        }
    }
}
