// The heap before there is one: what boot code allocates to read the memory map comes from a small piece
// of the kernel's image and is never given back.

import Machine
import Primitives

#if APUS_KERNEL
    import CMachine
#endif

enum BootHeap {
    #if APUS_KERNEL
        /// Boot CPU only, before `Frames.initialize`.
        nonisolated(unsafe) private static var used = 0

        static func allocate(_ size: Int, alignment: Int) -> UnsafeMutableRawPointer {
            let start = unsafe (used &+ alignment &- 1) & ~(alignment &- 1)
            guard size >= 0, size <= Int(boot_heap_size()) &- start else {
                memoryPanic("out of memory before Frames.initialize")
            }
            unsafe used = start &+ size
            // Inside the piece, checked above.
            return unsafe UnsafeMutableRawPointer(bitPattern: boot_heap_start())! + start
        }

        static func contains(_ pointer: UnsafeMutableRawPointer) -> Bool {
            UInt(bitPattern: pointer) &- UInt(boot_heap_start()) < UInt(boot_heap_size())
        }
    #else
        static func contains(_ pointer: UnsafeMutableRawPointer) -> Bool { false }
    #endif
}
