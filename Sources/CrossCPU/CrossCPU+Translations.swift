// TLB shootdown: making other CPUs forget translations. Which CPUs, and what they forget, the memory room says.

import Machine
import Memory
@_spi(ContextEntry) import Primitives

extension CrossCPU {
    /// What a CPU is asked to forget (with `end` 0: which address space to leave, `start`); lives on the sender's
    /// stack until all have answered.
    private struct TLBRange {
        var start: UInt
        var end: UInt
    }

    /// What `TLBHooks.shootdown` is. Interrupts on, preemption off.
    static func shootdown(
        _ start: UInt, _ end: UInt, _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64
    ) {
        var mask = CPUMask()
        mask[word: 0] = word0
        mask[word: 1] = word1
        mask[word: 2] = word2
        mask[word: 3] = word3
        let targets = mask.intersection(CPUs.online)
        if targets.isEmpty { return }
        precondition(InterruptFlag.isEnabled, "a TLB shootdown with interrupts off can deadlock")
        var range = TLBRange(start: start, end: end)
        // The call waits, so the range outlives its use on the other CPUs.
        unsafe withUnsafePointer(to: &range) {
            let queue = unsafe CrossCPUState.current.pointee.translations
            queue.postMany(
                targets, waiting: true, { _, address in CrossCPU.forget(address) }, UInt(bitPattern: $0))
            queue.waitMany(targets)
        }
    }

    /// On the CPU that was asked; interrupts are off.
    private static func forget(_ address: UInt) {
        // The sender's range; the sender waits.
        let range = unsafe UnsafePointer<TLBRange>(bitPattern: address).unsafelyUnwrapped
        if unsafe range.pointee.end == 0 {
            unsafe AddressSpace.leave(range.pointee.start, InterruptsOff())
        } else {
            unsafe TLBHooks.invalidateHere(range.pointee.start, range.pointee.end)
        }
    }
}
