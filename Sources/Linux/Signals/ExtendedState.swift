// Floating-point and vector registers in a signal frame: an XSAVE image in its standard format, with marks by
// which programs and `rt_sigreturn` know how much of it there is.

import Machine
import Memory
import Primitives
import Tasks

enum ExtendedState {
    /// Bytes in a frame.
    @inline(__always)
    static var frameSize: Int { FPU.markedSize }

    // What the processor has: set at boot, constant afterwards.
    @inline(__always)
    private static var hasExtension: Bool { unsafe FPU.hasXSAVE }
    private static var size: Int { unsafe FPU.imageSize }

    /// What a frame's flags say about it.
    @inline(__always)
    static var frameFlag: UInt64 { hasExtension ? UserContext.hasExtendedState : 0 }

    /// Says how frames are marked. Boot only.
    static func install() {
        let size = UInt64(truncatingIfNeeded: size)
        unsafe FPU.setMark(
            UInt64(ExtendedStateMark.firstMagic) | (size + 4) << 32, FPU.features, size,
            last: ExtendedStateMark.secondMagic)
    }

    /// Writes the running thread's registers to `address`, which is 64-byte aligned.
    @inline(__always)
    static func save(to address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        try Thread.writeExtendedState(to: address, task)
    }

    /// Loads the registers from `address`; 0 means those a program starts with. Without valid marks only
    /// the first 512 bytes count, and the rest is as at the start. If it throws, the registers are those a program
    /// starts with.
    @inline(__always)
    static func restore(from address: UInt, isExtended: Bool, _ task: borrowing TaskContext) throws(Errno) {
        // As frames are made by `save`; anything else takes a look and a copy.
        if isExtended, address != 0, Thread.loadExtendedState(from: address, task) { return }
        try restoreCopy(from: address, isExtended: isExtended, task)
    }

    @inline(never)
    private static func restoreCopy(
        from address: UInt, isExtended: Bool, _ task: borrowing TaskContext
    ) throws(Errno) {
        guard address != 0 else { return Thread.resetExtendedState(task) }
        do throws(Errno) {
            let isWhole = isExtended && hasExtension ? try hasMarks(address, task) : false
            try Thread.readExtendedState(from: address, isWhole: isWhole, task)
        } catch {
            Thread.resetExtendedState(task)
            throw error
        }
    }

    private static func hasMarks(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) -> Bool {
        let mark = try SystemCalls.load(
            ExtendedStateMark.self, from: address &+ UInt(ExtendedStateMark.offset), task)
        guard mark.magic == ExtendedStateMark.firstMagic, Int(mark.size) == size,
            mark.extendedSize >= mark.size
        else { return false }
        let second = try SystemCalls.load(UInt32.self, from: address &+ UInt(size), task)
        return second == ExtendedStateMark.secondMagic
    }
}
