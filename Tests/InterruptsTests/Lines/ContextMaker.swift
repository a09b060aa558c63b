// Tests play the entry code, where contexts begin.

@_spi(ContextEntry) import Primitives

enum ContextMaker {
    static func withHardInterrupt(_ body: (borrowing HardInterruptContext) -> Void) {
        body(HardInterruptContext())
    }

    static func withNMI(_ body: (borrowing NMIContext) -> Void) { body(NMIContext()) }
}
