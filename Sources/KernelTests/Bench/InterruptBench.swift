// `apus.bench=interrupts`: what interrupts cost inside the kernel. The rows that a user program can measure are in
// Tests/Bench/interrupts.c; `./apus bench interrupts` runs both and puts Linux's figures beside them.

import CMachine
import Interrupts
import Machine
import Memory
import Primitives
import Synchronization
import Tasks

/// The benches by name.
public enum Bench {
    /// Runs the bench of that name; false when there is none, or a soak found something wrong.
    public static func run(_ name: [UInt8], _ task: borrowing TaskContext) -> Bool {
        if name.elementsEqual("interrupts".utf8) {
            InterruptBench.run(task)
        } else if name.elementsEqual("crosscpu".utf8) {
            CrossCPUBench.run(task)
        } else if name.elementsEqual("deferred".utf8) {
            DeferredBench.run(task)
        } else if name.elementsEqual("time".utf8) {
            TimeBench.run(task)
        } else if name.starts(with: "soak-".utf8), let seconds = number(name.dropFirst(5)) {
            return DeferredSoak.run(seconds: seconds, task)
        } else {
            return false
        }
        return true
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (48...57).contains(digit), value < 1_000_000 else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return digits.isEmpty ? nil : value
    }
}

enum InterruptBench {
    static func run(_ task: borrowing TaskContext) {
        Measurement.calibrate()
        locks()
        vectors()
        DeviceLineBench.run(task)
        userMemory(task)
    }

    private static func locks() {
        Measurement.run("irqsave_restore") { withInterruptsOff { _ in machine_compiler_barrier() } }
        let lock = SpinLock(0)
        Measurement.run("spin_lock_irqsave") {
            lock.withLockInterruptsOff { value, _ in
                value = 1
                machine_compiler_barrier()
            }
        }
        Measurement.run("spin_lock") {
            lock.withLock { value in
                value = 1
                machine_compiler_barrier()
            }
        }
    }

    /// Vectors by INT instructions, as Linux's were measured.
    private static func vectors() {
        withPreemptionOff { _ in
            Measurement.run("vector_reschedule") { machine_raise_reschedule() }
            Vectors.setHandler(Vector(247), VectorHandler { @Sendable _, _ in })
            Measurement.run("vector_accounted") { machine_raise_test_vector() }
            PreemptCount.clearNeedResched()
        }
    }

    // MARK: User memory

    private static func userMemory(_ task: borrowing TaskContext) {
        do throws(Errno) {
            let space = try AddressSpace()
            Thread.useAddressSpace(space)
            let length: UInt = 64 * 4096
            let place = try space.map(
                MappingRequest(length: length, protection: [.read, .write]), task)
            _ = space.populate(place, place &+ length, access: .write, task)
            words(place, task)
            pages(place, task)
            faults(space, place, task)
            Thread.useAddressSpace(nil)
        } catch { TestReport.line("bench: no address space, error \(error.code)") }
    }

    private static func words(_ place: UInt, _ task: borrowing TaskContext) {
        let pointer = UserPointer<UInt64>(place)
        Measurement.run("get_user") { _ = try? pointer.load(task) }
        Measurement.run("put_user") { try? pointer.store(1, task) }
    }

    private static func pages(_ place: UInt, _ task: borrowing TaskContext) {
        let bytes = [UInt8](repeating: 0, count: 4096)
        Measurement.run("copy_from_user_4k") {
            unsafe bytes.withUnsafeBufferPointer { buffer in
                // The array is read and written here only.
                let target = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress!)
                _ = unsafe UserAccess.copyIn(target, from: place, 4096)
            }
        }
    }

    private static func faults(_ space: AddressSpace, _ place: UInt, _ task: borrowing TaskContext) {
        let hole = UserPointer<UInt64>(place &- (1 << 30))
        Measurement.run("get_user_fault") { _ = try? hole.load(task) }
        withPreemptionOff { _ in
            Measurement.run("get_user_fault_atomic") { _ = UserAccess.load(hole.address, width: 8) }
        }
    }
}
