import CMachine
public enum Port {
    @_semantics("no_performance_analysis") @inline(__always)
    public static func out8(_ p: UInt16, _ v: UInt8) { machine_out8(p, v) }
}
