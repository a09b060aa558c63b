// The running thread's floating-point and vector registers, written to and read from its own memory: what
// signal frames need.

import Machine
import Memory
import Primitives

extension Thread {
    /// Writes the registers as an image, marked, of `FPU.markedSize` bytes to `address` of the program, a multiple of 64.
    /// Throws `.badAddress`.
    @inline(__always)
    public static func writeExtendedState(to address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        // A switch away meanwhile saves and loads the same registers: the kernel itself does not touch them.
        guard UserMemory.isInRange(address, FPU.markedSize), FPU.save(toUser: address) else {
            throw .badAddress
        }
    }

    /// Loads the registers from a whole marked image at `address` of the program, without a copy. False if that cannot be
    /// read, has another mark, or the processor refuses it: then some registers may have been loaded.
    @inline(__always)
    public static func loadExtendedState(from address: UInt, _ task: borrowing TaskContext) -> Bool {
        UserMemory.isInRange(address, FPU.markedSize) && FPU.restore(fromUser: address)
    }

    /// Loads the registers from an image at `address` of the program, of which only the first 512 bytes count
    /// unless `isWhole`. What would fault is cleared. Throws `.badAddress`.
    public static func readExtendedState(
        from address: UInt, isWhole: Bool, _ task: borrowing TaskContext
    ) throws(Errno) {
        let storage = unsafe currentStorage
        guard let image = unsafe storage.pointee.fpuImage else { throw .badAddress }
        // Not into the image itself: a switch away would overwrite it.
        let copy = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: FPU.imageSize, alignment: FPU.imageAlignment)
        defer { unsafe copy.deallocate() }
        unsafe FPU.initialize(copy)
        let count = unsafe isWhole ? FPU.imageSize : min(FPU.imageSize, 512)
        // `count` bytes of the allocation.
        var bytes = unsafe MutableSpan(
            _unsafeElements: UnsafeMutableBufferPointer(
                start: copy.assumingMemoryBound(to: UInt8.self), count: count))
        try UserMemory.copyIn(from: address, into: &bytes, task)
        // The legacy region's components are all present; an image of that size has no header.
        if !isWhole, unsafe FPU.hasXSAVE { unsafe copy.storeBytes(of: 3, toByteOffset: 512, as: UInt64.self) }
        unsafe FPU.sanitize(copy)
        withInterruptsOff { _ in
            unsafe image.copyMemory(from: copy, byteCount: FPU.imageSize)
            unsafe FPU.restore(from: image)
        }
    }

    /// Makes the registers those a new program starts with.
    @inline(__always)
    public static func resetExtendedState(_ task: borrowing TaskContext) { FPU.reset() }
}
