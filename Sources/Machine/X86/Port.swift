// I/O ports: exactly one access of the given width.

import CMachine

public struct Port: Sendable {
    public let number: UInt16
    @inline(__always) public init(_ number: UInt16) { self.number = number }

    @_semantics("no_performance_analysis") @inline(__always)
    public func read8() -> UInt8 { machine_in8(number) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func read16() -> UInt16 { machine_in16(number) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func read32() -> UInt32 { machine_in32(number) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write8(_ value: UInt8) { machine_out8(number, value) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write16(_ value: UInt16) { machine_out16(number, value) }
    @_semantics("no_performance_analysis") @inline(__always)
    public func write32(_ value: UInt32) { machine_out32(number, value) }
}
