// The stack a thread runs on in the kernel.

import Machine

/// A kernel stack that a thread owns.
@unsafe struct KernelStackHandle {
    static let size = 16384
    private let base: UnsafeMutableRawPointer

    /// Allocates a stack; nil if there is no memory.
    static func allocate() -> KernelStackHandle? {
        unsafe KernelStackHandle(base: .allocate(byteCount: size, alignment: Int(pageSize)))
    }

    func free() { unsafe base.deallocate() }

    var top: UInt { unsafe UInt(bitPattern: base) &+ UInt(Self.size) }
}
