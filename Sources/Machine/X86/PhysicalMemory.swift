// Physical memory through the direct map.

extension PhysicalAddress {
    /// Where the direct map has this address. Valid for RAM only: what is not RAM may be unmapped there.
    @inline(__always)
    @unsafe public var pointer: UnsafeMutableRawPointer {
        // Never zero: the direct map starts at 64 TiB.
        unsafe UnsafeMutableRawPointer(bitPattern: KernelLayout.directMap &+ UInt(truncatingIfNeeded: value))
            .unsafelyUnwrapped
    }

    /// The physical address behind a pointer into the direct map. Of any other pointer it makes nonsense, to be
    /// found out by the bounds check of who asked.
    @inline(__always)
    public init(directMapped pointer: UnsafeRawPointer) {
        self.init(UInt64(truncatingIfNeeded: UInt(bitPattern: pointer) &- KernelLayout.directMap))
    }
}

/// The one word from which the memory room finds its state on this machine.
public enum MemoryRoot {
    /// Set once at boot, before other CPUs run.
    nonisolated(unsafe) public static var pointer: UnsafeMutableRawPointer? = nil
}
