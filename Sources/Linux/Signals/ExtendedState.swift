// Floating-point and vector registers in a signal frame: an XSAVE image in its standard format, with marks by
// which programs and `rt_sigreturn` know how much of it there is.

import Machine
import Memory
import Primitives
import Tasks

enum ExtendedState {
    /// Bytes in a frame.
    static var frameSize: Int { hasExtension ? size + 4 : size }

    // What the processor has: set at boot, constant afterwards.
    private static var hasExtension: Bool { unsafe FPU.hasXSAVE }
    private static var size: Int { unsafe FPU.imageSize }

    /// What a frame's flags say about it.
    static var frameFlag: UInt64 { hasExtension ? UserContext.hasExtendedState : 0 }

    /// Writes the running thread's registers to `address`, which is 64-byte aligned.
    static func save(to address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        try Thread.writeExtendedState(to: address, task)
        guard hasExtension else { return }
        let mark = unsafe ExtendedStateMark(features: FPU.features, size: size)
        try SystemCalls.store(mark, to: address &+ UInt(ExtendedStateMark.offset), task)
        try SystemCalls.store(
            ExtendedStateMark.secondMagic, to: address &+ UInt(size), task)
    }

    /// Loads the registers from `address`; 0 means those a program starts with. Without valid marks only
    /// the first 512 bytes count, and the rest is as at the start. If it throws, the registers are those a program
    /// starts with.
    static func restore(from address: UInt, isExtended: Bool, _ task: borrowing TaskContext) throws(Errno) {
        guard address != 0 else { return Thread.resetExtendedState(task) }
        do throws(Errno) {
            let isWhole = isExtended && hasExtension ? try hasMarks(address, task) : false
            // What the processor refuses is made loadable in a copy.
            if isWhole, Thread.loadExtendedState(from: address, task) { return }
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
