import Machine
import CMachine
import Primitives
@c(kernel_main) public func kernelMain() {
    let f = Foo(65)
    f.hello()
    let t = TaskContext()
    Port.out8(0x3f8, UInt8(truncatingIfNeeded: 66 + genericThing([1,2], t)))
    while true { machine_halt() }
}
