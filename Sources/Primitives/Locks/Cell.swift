// Storage of a value whose owner (a lock, a per-CPU array) decides who may touch it.

/// Interior storage at a stable address inside its owner. Unsafe by itself: the type that holds it
/// makes sure that accesses do not overlap.
@_rawLayout(like: Value)
@unsafe public struct Cell<Value: ~Copyable>: ~Copyable {
    @inline(__always)
    public init(_ value: consuming Value) { unsafe address.initialize(to: value) }

    /// The address of the value; valid as long as the cell is neither moved nor destroyed.
    @inline(__always)
    public var address: UnsafeMutablePointer<Value> {
        // A raw-layout value is always in memory and never copied, so its address is its own.
        unsafe withUnsafePointer(to: self) {
            unsafe UnsafeMutableRawPointer(mutating: UnsafeRawPointer($0)).assumingMemoryBound(to: Value.self)
        }
    }

    @inline(__always)
    deinit { unsafe address.deinitialize(count: 1) }
}
