// Physical memory of the simulated machine: a host allocation, zero and untouched until used.

import Glibc

/// The RAM of one simulated machine. CPUs that share a machine share one of these.
@safe public final class SimulatedMemory: @unchecked Sendable {
    public let byteCount: Int
    /// Owned; freed with the object.
    let base: UnsafeMutableRawPointer
    /// See `MemoryRoot`.
    var root: UnsafeMutableRawPointer?

    public init(byteCount: Int = 256 << 20) {
        self.byteCount = byteCount
        unsafe base = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        precondition(unsafe base != MAP_FAILED, "no host memory for a simulated machine")
    }

    /// The RAM of the machine that the calling host thread plays a CPU of.
    public static var current: SimulatedMemory { SimulatedCPU.current.memory }

    deinit { unsafe munmap(base, byteCount) }
}

extension PhysicalAddress {
    @unsafe public var pointer: UnsafeMutableRawPointer {
        let memory = SimulatedCPU.current.memory
        precondition(value < UInt64(memory.byteCount), "physical address beyond the RAM")
        return unsafe memory.base + Int(value)
    }

    public init(directMapped pointer: UnsafeRawPointer) {
        unsafe self.init(
            UInt64(bitPattern: Int64(pointer - UnsafeRawPointer(SimulatedCPU.current.memory.base))))
    }
}

public enum MemoryRoot {
    public static var pointer: UnsafeMutableRawPointer? {
        get { unsafe SimulatedCPU.current.memory.root }
        set { unsafe SimulatedCPU.current.memory.root = newValue }
    }
}
