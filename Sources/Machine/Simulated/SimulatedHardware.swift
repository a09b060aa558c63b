// The simulated machine's buses and registers are one set for the whole process, and tests run side by
// side: a test that puts devices there holds them for itself meanwhile.

import Glibc

/// Owned by one test at a time. Make one in the test suite's `init` and keep it until its end.
public final class SimulatedHardware: Sendable {
    /// One unit: who has it has the hardware.
    private static let semaphore: UInt = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 1)
        return UInt(bitPattern: semaphore)
    }()

    private static var pointer: UnsafeMutablePointer<sem_t> {
        // Allocated once and never freed.
        unsafe UnsafeMutablePointer(bitPattern: semaphore)!
    }

    /// Waits until no other test has the hardware, and clears its registers and buses.
    public init() {
        while unsafe sem_wait(Self.pointer) != 0 {}
        SimulatedRegisters.reset()
        SimulatedBus.detachAll()
        SimulatedMemoryBus.detachAll()
    }

    deinit { unsafe sem_post(Self.pointer) }
}
