// The address space a thread runs in. A kernel thread has none and keeps what its CPU has loaded.
//
// The thread holds a reference; the switch to it loads the page table without counting.

import Machine
import Memory
import Primitives

extension Thread {
    /// Which address space the running thread uses, for comparing; 0 for none. Task context.
    @inline(__always)
    public static var currentAddressSpaceIdentity: UInt {
        // Own; an address is no access.
        unsafe UInt(bitPattern: currentStorage.pointee.addressSpace?.toOpaque())
    }

    /// The running thread's address space; nil for a kernel thread's. Task context.
    @inline(__always)
    public static var currentAddressSpace: AddressSpace? {
        // Own, and holds a reference.
        unsafe currentStorage.pointee.addressSpace?.takeUnretainedValue()
    }

    /// Makes the running thread use `space`, or the kernel's own page table. Task context.
    public static func useAddressSpace(_ space: AddressSpace?) {
        let storage = unsafe currentStorage
        let new = unsafe space.map { unsafe Unmanaged.passRetained($0) }
        let old = unsafe withInterruptsOff { off in
            let old = unsafe storage.pointee.addressSpace
            unsafe storage.pointee.addressSpace = new
            if let new = unsafe new {
                // The reference just taken keeps it alive.
                unsafe new._withUnsafeGuaranteedRef { $0.activate(off) }
            } else {
                AddressSpace.leave(off)
            }
            return unsafe old
        }
        unsafe old?.release()
    }

    /// Gives a thread that has not started its address space. By its creator, once.
    public func setInitialAddressSpace(_ space: AddressSpace) {
        unsafe storage.pointee.addressSpace = Unmanaged.passRetained(space)
    }
}
