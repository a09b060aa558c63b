// Device registers in memory: exactly one access of the given width.

import CMachine

/// A window of device registers at a virtual address that is mapped uncached.
public struct MMIO: Sendable {
    public let base: UInt
    @inline(__always) public init(_ base: VirtualAddress) { self.base = base.value }

    @_semantics("no_performance_analysis") @inline(__always)
    public func read8(_ offset: Int) -> UInt8 { machine_mmio_read8(base &+ UInt(bitPattern: offset)) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write8(_ offset: Int, _ value: UInt8) {
        machine_mmio_write8(base &+ UInt(bitPattern: offset), value)
    }
    @_semantics("no_performance_analysis") @inline(__always)
    public func read16(_ offset: Int) -> UInt16 { machine_mmio_read16(base &+ UInt(bitPattern: offset)) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write16(_ offset: Int, _ value: UInt16) {
        machine_mmio_write16(base &+ UInt(bitPattern: offset), value)
    }
    @_semantics("no_performance_analysis") @inline(__always)
    public func read32(_ offset: Int) -> UInt32 { machine_mmio_read32(base &+ UInt(bitPattern: offset)) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write32(_ offset: Int, _ value: UInt32) {
        machine_mmio_write32(base &+ UInt(bitPattern: offset), value)
    }
    @_semantics("no_performance_analysis") @inline(__always)
    public func read64(_ offset: Int) -> UInt64 { machine_mmio_read64(base &+ UInt(bitPattern: offset)) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write64(_ offset: Int, _ value: UInt64) {
        machine_mmio_write64(base &+ UInt(bitPattern: offset), value)
    }
}
