// Which page table a CPU uses. A CPU that runs a kernel thread keeps the last program's (lazily: it is not told of
// changes), and catches up if it returns to that program.

import Machine
import Primitives
import Synchronization

extension AddressSpace {
    /// What `CPUArea.addressSpace` holds while this address space is loaded.
    @inline(__always)
    var identity: UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    /// Makes this CPU use the address space. For the scheduler, which keeps it alive until another is activated or
    /// `leave` called.
    @inline(__always)
    public func activate(_ off: borrowing InterruptsOff) {
        let old = CPUArea.addressSpace
        if old == identity, !CPUArea.isTranslationLazy { return }
        change(from: old)
    }

    @inline(never)
    private func change(from old: UInt) {
        if old == identity { return endLaziness() }
        // In the set before the generation is read and the page table used: who changes the table afterwards knows of
        // this CPU, and who changed it before has been counted.
        cpus.insert(CPU.index)
        CPUArea.endLazyTranslation()
        let current = generation.load(ordering: .sequentiallyConsistent)
        if unsafe TranslationContext.isSupported {
            loadContext(current, old)
        } else {
            Translation.load(root)
        }
        CPUArea.translationGeneration = current
        CPUArea.addressSpace = identity
        if old != 0 { unsafe Self.at(old)._withUnsafeGuaranteedRef { $0.cpus.remove(CPU.index) } }
    }

    /// This CPU runs a kernel thread from now on: whoever changes the address space loaded need not tell it.
    @inline(__always)
    public static func becomeLazy(_ off: borrowing InterruptsOff) {
        if CPUArea.addressSpace != 0 { CPUArea.beginLazyTranslation() }
    }

    /// Catches up with what changed while nobody told this CPU.
    @inline(__always)
    private func endLaziness() {
        CPUArea.endLazyTranslation()
        let current = generation.load(ordering: .sequentiallyConsistent)
        if current == CPUArea.translationGeneration { return }
        Translation.invalidateAll()
        CPUArea.translationGeneration = current
    }

    /// Loads the page table under an identifier of its own: what the TLB knows from the last time is kept if nothing
    /// has changed since.
    private func loadContext(_ current: UInt64, _ old: UInt) {
        Self.noteContext(old)
        let (context, known) = TranslationContext.find(number)
        Translation.load(root, context: context, keeping: known == current)
        TranslationContext.current = context
        TranslationContext.note(context, space: number, generation: current)
    }

    /// Notes up to which change the TLB is right for the address space that is being left.
    private static func noteContext(_ old: UInt) {
        guard old != 0 else { return }
        let number = unsafe at(old)._withUnsafeGuaranteedRef { $0.number }
        TranslationContext.note(
            TranslationContext.current, space: number, generation: CPUArea.translationGeneration)
    }

    /// Makes this CPU use the kernel's own page table.
    public static func leave(_ off: borrowing InterruptsOff) {
        let old = CPUArea.addressSpace
        guard old != 0 else { return }
        if unsafe TranslationContext.isSupported { noteContext(old) }
        Translation.load(KernelPageTable.root)
        CPUArea.addressSpace = 0
        CPUArea.endLazyTranslation()
        unsafe at(old)._withUnsafeGuaranteedRef { $0.cpus.remove(CPU.index) }
    }

    /// An address space that some CPU has loaded is alive: `deinit` begins with `leaveEverywhere`.
    @inline(__always)
    static func at(_ identity: UInt) -> Unmanaged<AddressSpace> {
        unsafe Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: identity).unsafelyUnwrapped)
    }

    func leaveEverywhere() {
        if cpus.isEmpty { return }
        withPreemptionOff { _ in
            withInterruptsOff { off in if CPUArea.addressSpace == identity { Self.leave(off) } }
            let others = cpus.mask
            if !others.isEmpty { TLBRequest.leave(identity).send(to: others) }
        }
    }

    /// The address space this CPU has loaded, for the running thread: its thread keeps it alive.
    @inline(__always)
    public static var current: AddressSpace? {
        let identity = CPUArea.addressSpace
        return identity == 0 ? nil : unsafe at(identity).takeUnretainedValue()
    }
}
