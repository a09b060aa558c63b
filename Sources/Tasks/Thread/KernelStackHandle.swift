// The stack a thread runs on in the kernel.

import Machine
import Memory
import Primitives

/// A kernel stack that a thread owns: with a guard page below it; on the simulated machine, where a fiber brings its own
/// stack, only the place for the registers of user mode.
@unsafe struct KernelStackHandle {
    #if APUS_KERNEL
        private let stack: KernelStack

        /// Allocates a stack; nil if there is no memory for one of this use.
        static func allocate(use: FrameUse) -> KernelStackHandle? {
            guard let stack = KernelStack.allocate(use: use) else { return nil }
            return unsafe KernelStackHandle(stack: stack)
        }

        func free() { unsafe stack.free() }

        var top: UInt { unsafe stack.top.value }

        /// Gives the memory of stacks that nobody needs back.
        static func trim(_ task: borrowing TaskContext) { KernelStack.trim(task) }
    #else
        private static let size = 4096
        private let base: UnsafeMutableRawPointer

        static func allocate(use: FrameUse) -> KernelStackHandle? {
            unsafe KernelStackHandle(base: .allocate(byteCount: size, alignment: 16))
        }

        func free() { unsafe base.deallocate() }

        var top: UInt { unsafe UInt(bitPattern: base) &+ UInt(Self.size) }

        static func trim(_ task: borrowing TaskContext) {}
    #endif
}
