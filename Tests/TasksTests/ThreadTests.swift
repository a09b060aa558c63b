// The life of threads.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

extension SimulatedMachineTests {
    @Suite struct ThreadTests {
        @Test func hundredsOfThreadsRunAndEnd() {
            let failure = SimulatedKernel.underSeeds(30) { task in
                let count = Counter()
                SimulatedKernel.threads(60, task) { _, task in
                    Scheduler.yield(task)
                    count.add()
                }
                SimulatedKernel.check(count.value == 60, "ran: \(count.value)")
            }
            #expect(failure == nil)
        }

        /// The storage of a thread that ended serves others; its handle wakes and shows nobody.
        @Test func staleHandlesAreHarmless() {
            let failure = SimulatedKernel.underSeeds(50) { task in
                let stale = HandleList()
                for _ in 0..<5 {
                    SimulatedKernel.threads(4, task) { _, _ in stale.append(Thread.current) }
                    SimulatedKernel.threads(3, task) { index, task in
                        for handle in stale.all {
                            handle.wake()
                            handle.notifySignal()
                            Scheduler.yield(task)
                        }
                    }
                }
                // A thread's last moments come after its completion: wait for all of them.
                while stale.all.contains(where: { $0.exists }) { Scheduler.yield(task) }
                for handle in stale.all { SimulatedKernel.check(handle.state == .dead, "not dead") }
                SimulatedKernel.check(Set(stale.all.map(\.identifier)).count == 20, "numbers used twice")
            }
            #expect(failure == nil)
        }

        /// What a thread holds is let go when it ends.
        @Test func userObjectIsReleased() {
            final class Witness: Sendable {
                let released: Counter
                init(_ released: Counter) { self.released = released }
                deinit { released.add() }
            }
            let failure = SimulatedKernel.underSeeds(10) { task in
                let released = Counter()
                for _ in 0..<10 {
                    let witness = Witness(released)
                    let thread = try! Thread.create(name: "holder", userObject: witness) { _ in
                        SimulatedKernel.check(Thread.current.userObject is Witness)
                    }
                    thread.start()
                }
                while released.value < 10 { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        @Test func aThreadThatWasNeverStartedIsDiscarded() {
            let failure = SimulatedKernel.run(cpus: 1, seed: 0) { task in
                let thread = try! Thread.create(name: "idle hands") { _ in
                    SimulatedKernel.check(false, "it ran")
                }
                SimulatedKernel.check(thread.state == .new)
                SimulatedKernel.check(!thread.wake(), "woken before its start")
                thread.discardUnstarted()
                SimulatedKernel.check(!thread.exists)
                Scheduler.yield(task)
            }
            #expect(failure == nil)
        }

        @Test(arguments: [
            ("x", 0, "x/0"), ("ksoftirqd", 12, "ksoftirqd/12"), ("a-very-long-name", 7, "a-very-long-nam"),
            ("sixteen-bytes!", 12345, "sixteen-bytes!/"),
        ])
        func names(text: String, number: Int, expected: String) {
            // ThreadName takes static strings; the cases are spelled here.
            let name =
                switch text {
                case "x": ThreadName("x", number: number)
                case "ksoftirqd": ThreadName("ksoftirqd", number: number)
                case "a-very-long-name": ThreadName("a-very-long-name", number: number)
                default: ThreadName("sixteen-bytes!", number: number)
                }
            let bytes = (0..<name.count).map { name.bytes[$0] }
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
        }
    }
}
