import Machine
public struct TaskContext: ~Copyable, ~Escapable {
    @_lifetime(immortal)
    public init() {}
}
public final class Foo { public var x: Int; public init(_ x: Int) { self.x = x } 
 public func hello() { Port.out8(0x3f8, UInt8(truncatingIfNeeded: x)) } }
@inline(never)
public func genericThing<T>(_ a: [T], _ t: borrowing TaskContext) -> Int { a.count }
