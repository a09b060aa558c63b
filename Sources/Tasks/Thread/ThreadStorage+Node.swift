// From a thread to its place in the run queue and back.

import Primitives

extension ThreadStorage {
    /// Bytes before `node` in the storage: the flags and the state.
    static let nodeOffset = 8

    @inline(__always)
    static func node(of storage: Pointer) -> OrderedNode.Pointer {
        // `node` lies behind the two 32-bit words at the head; `checkLayout` makes sure.
        unsafe (UnsafeMutableRawPointer(storage) + nodeOffset).assumingMemoryBound(to: OrderedNode.self)
    }

    @inline(__always)
    static func owner(of node: OrderedNode.Pointer) -> Pointer {
        // The nodes of run queues are all parts of thread storage.
        unsafe (UnsafeMutableRawPointer(node) - nodeOffset).assumingMemoryBound(to: ThreadStorage.self)
    }

    /// Stops the boot if the compiler laid the storage out in another way.
    static func checkLayout(_ storage: Pointer) {
        let base = UInt(bitPattern: storage)
        let node = unsafe withUnsafeMutablePointer(to: &storage.pointee.node) { UInt(bitPattern: $0) }
        unsafe precondition(node - base == UInt(nodeOffset), "layout of thread storage")
    }
}
