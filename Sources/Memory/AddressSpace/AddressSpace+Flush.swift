// TLB shootdown: who must forget what.
//
// Each change that takes rights or pages away raises the address space's generation, and each CPU knows up to which
// generation its TLB is right. A CPU asked to forget
//     that is right already (a later request came first)         does nothing
//     that lacks exactly this change, of few pages               forgets those pages
//     that lacks more                                            forgets everything
// A CPU that runs a kernel thread (lazy) is not asked, unless page tables are freed, through which it might still walk
// speculatively: then it leaves the address space.
//
// Why nobody is missed: the sender raises the generation and then reads who uses the address space and who is lazy; a
// CPU enters the set, or ends its laziness, and then reads the generation. All four are sequentially consistent: if the
// sender does not see the CPU, the CPU sees the generation.

import Machine
import Primitives
import Synchronization

extension AddressSpace {
    /// Makes all CPUs that use the address space forget the pages `start` ..< `end`, and returns when they have.
    /// Preemption off, interrupts on.
    /// - Parameter freesTables: page tables go, too.
    @inline(__always)
    func flush(_ start: UInt, _ end: UInt, freesTables: Bool = false) {
        let generation = generation.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
        var others = cpus.mask
        if others.isEmpty { return }
        let request = TLBRequest(
            space: identity, start: start, end: end, generation: generation, freesTables: freesTables)
        if others.contains(CPU.index) {
            withInterruptsOff { off in request.catchUp(off) }
            others.remove(CPU.index)
            if others.isEmpty { return }
        }
        if !freesTables { Self.removeLazy(&others) }
        if !others.isEmpty { request.send(to: others) }
    }

    private static func removeLazy(_ cpus: inout CPUMask) {
        let all = cpus
        all.forEach { if CPUArea.isTranslationLazy(cpu: $0) { cpus.remove($0) } }
    }
}

/// What CPUs are asked to forget; lies with the sender until all have answered.
public struct TLBRequest: Sendable {
    /// The address space's identity; 0 for pages of the kernel's half.
    let space: UInt
    let start: UInt
    /// 0: the CPU shall stop using the address space.
    let end: UInt
    let generation: UInt64
    var freesTables = false

    static func leave(_ space: UInt) -> TLBRequest {
        TLBRequest(space: space, start: 0, end: 0, generation: 0)
    }

    /// Asks other CPUs, and returns when all have done it. Interrupts on, preemption off.
    @inline(never)
    func send(to cpus: CPUMask) {
        // The hook returns when nobody needs the request any more.
        unsafe withUnsafePointer(to: self) { request in
            TLBHooks.shootdown?(
                UInt(bitPattern: request), cpus[word: 0], cpus[word: 1], cpus[word: 2], cpus[word: 3])
        }
    }

    /// What a CPU does that was asked with the request at `address`.
    public static func answer(_ address: UInt, _ off: borrowing InterruptsOff) {
        // The sender's, who waits.
        unsafe UnsafePointer<TLBRequest>(bitPattern: address).unsafelyUnwrapped.pointee.perform(off)
    }

    private func perform(_ off: borrowing InterruptsOff) {
        if space == 0 { return TLBHooks.invalidateHere(start, end) }
        // It may have left the address space meanwhile, and forgotten everything.
        guard CPUArea.addressSpace == space else { return }
        if end == 0 || CPUArea.isTranslationLazy { return AddressSpace.leave(off) }
        catchUp(off)
    }

    /// On a CPU that has the address space loaded.
    @inline(__always)
    func catchUp(_ off: borrowing InterruptsOff) {
        let mine = CPUArea.translationGeneration
        let current = unsafe AddressSpace.at(space)._withUnsafeGuaranteedRef {
            $0.generation.load(ordering: .acquiring)
        }
        if mine >= generation { return }
        if generation == mine &+ 1, generation == current, end &- start <= TLBHooks.pageLimit &* pageSize {
            TLBHooks.invalidateHere(start, end)
            CPUArea.translationGeneration = generation
        } else {
            Translation.invalidateAll()
            CPUArea.translationGeneration = current
        }
    }
}
