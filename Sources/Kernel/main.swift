import Machine
import Primitives
@c(kernel_main) public func kernelMain() {
    printk(.info, "hello \(42) \(hex: UInt64(4096))")
    InterruptFlag.enableAndHalt()
}
