// What of a user thread lives in a CPU's registers and is exchanged when the thread changes: floating
// point, segment bases, the stack for entries from user mode, the address space.
//
// Floating-point registers are saved whenever a user thread leaves the CPU and loaded when one comes,
// unless they still hold that thread's (only kernel threads ran in between): nobody ever sees another's.

import Machine
import Memory
@_spi(ContextEntry) import Primitives
import Synchronization

/// What this CPU's registers hold. Touched by its own CPU only, with interrupts off.
struct UserState {
    /// Number of the thread whose floating-point state is in the registers.
    var fpuOwner: UInt64 = 0
    /// The segment bases in the registers, as of the last load.
    var bases = SegmentBases()

    /// Saves what belongs to `previous` and loads what `next` needs. Interrupts are off.
    @inline(__always)
    static func switchOver(
        _ queue: borrowing RunQueue, from previous: ThreadStorage.Pointer, to next: ThreadStorage.Pointer
    ) {
        // This CPU's own, and interrupts are off.
        let loaded = unsafe queue.userState.address
        if unsafe previous.pointee.isUser {
            let cycles = CPUArea.takeUserCycles()
            unsafe queue.times.add(cycles, isNice: previous.pointee.nice > 0)
            let total = unsafe previous.pointee.userCycles.load(ordering: .relaxed) &+ cycles
            unsafe previous.pointee.userCycles.store(total, ordering: .relaxed)
            unsafe previous.pointee.bases.save()
            unsafe loaded.pointee.bases = previous.pointee.bases
            if let image = unsafe previous.pointee.fpuImage { unsafe FPU.save(to: image) }
        }
        if unsafe next.pointee.isUser {
            unsafe loaded.pointee.load(next)
        } else if unsafe previous.pointee.isUser {
            AddressSpace.becomeLazy(InterruptsOff())
        }
    }

    /// Loads a user thread's state.
    mutating func load(_ next: ThreadStorage.Pointer) {
        unsafe next.pointee.bases.load(over: bases)
        bases = unsafe next.pointee.bases
        unsafe ThreadContext.setEntryStack(next.pointee.stackTop)
        // The thread's reference keeps its address space alive.
        unsafe next.pointee.addressSpace?._withUnsafeGuaranteedRef { $0.activate(InterruptsOff()) }
        if unsafe next.pointee.noticesSwitches {
            _ = unsafe next.pointee.flags.bitwiseOr(ThreadFlags.notifyResume.rawValue, ordering: .relaxed)
        }
        let identifier = unsafe next.pointee.identifier.load(ordering: .relaxed)
        let cpu = UInt32(truncatingIfNeeded: CPU.index)
        if fpuOwner == identifier, unsafe next.pointee.fpuCPU == cpu { return }
        fpuOwner = identifier
        unsafe next.pointee.fpuCPU = cpu
        if let image = unsafe next.pointee.fpuImage { unsafe FPU.restore(from: image) }
    }
}
