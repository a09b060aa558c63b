// TLB shootdown: making other CPUs forget translations. Which CPUs, and what they forget, the memory room says.
//
// The way of one: `munmap` → page-table entries taken out, frames gathered (`FlushBatch`) → `AddressSpace.flush`: the
// generation is raised, this CPU forgets, the CPUs that use the address space and are not lazy are asked → a node each on
// the queue of vector 0xfd → `TLBRequest.answer` there → all nodes unlocked → the frames are freed.

import Machine
import Memory
@_spi(ContextEntry) import Primitives

extension CrossCPU {
    /// What `TLBHooks.shootdown` is. Interrupts on, preemption off.
    static func shootdown(_ request: UInt, _ mask: CPUMask) {
        let targets = mask.intersection(CPUs.online)
        if targets.isEmpty { return }
        precondition(InterruptFlag.isEnabled, "a TLB shootdown with interrupts off can deadlock")
        let queue = unsafe CrossCPUState.current.pointee.translations
        queue.postMany(
            targets, waiting: true, { _, request in TLBRequest.answer(request, InterruptsOff()) }, request)
        queue.waitMany(targets)
    }
}
