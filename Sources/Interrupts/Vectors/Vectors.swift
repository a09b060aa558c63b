// From a vector to what it means: lines have the device vectors, and a function each of the local ones.

import Machine
import Primitives
import Synchronization

/// The vectors that the kernel itself uses (239 and above): timer, IPIs, errors.
public enum Vectors {
    private static let first = Vector.timer.number

    /// Handlers of the vectors from `first` on. Written with interrupts off before the vector can come; read by
    /// every CPU without a lock.
    nonisolated(unsafe) private static var handlers = InlineArray<17, VectorHandler?>(repeating: nil)
    private static let unownedCount = Atomic<UInt>(0)

    /// Gives a local vector its handler. Its interrupts have been acknowledged when it is called. Boot only, and
    /// not for device vectors, which belong to lines (`IRQ.request`).
    public static func setHandler(_ vector: Vector, _ handler: VectorHandler) {
        precondition(vector.number >= first, "the vectors of devices belong to lines")
        withInterruptsOff { _ in unsafe handlers[Int(vector.number - first)] = handler }
    }

    /// How many interrupts came on vectors that nobody owns.
    public static var unowned: UInt { unownedCount.load(ordering: .relaxed) }

    /// One interrupt, from its vector to its handler. Interrupts are off.
    @inline(__always)
    static func dispatch(_ number: UInt8, _ context: borrowing HardInterruptContext) {
        if number >= first { return local(number, context) }
        let line = CPUArea.line(vector: number)
        if line == 0 { return missing(number) }
        IRQLines.handle(at: line, context)
    }

    @inline(__always)
    private static func local(_ number: UInt8, _ context: borrowing HardInterruptContext) {
        CPUArea.count(vector: number)
        // A spurious interrupt is not in service, so acknowledging it would end another one (Intel SDM
        // volume 3, 10.9).
        if number != Vector.spurious.number { LocalAPIC.endOfInterrupt() }
        call(number, context)
    }

    /// The indirect call, which the compiler cannot see through.
    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ number: UInt8, _ context: borrowing HardInterruptContext) {
        guard let handler = unsafe handlers[Int(number &- first)] else { return missing(number) }
        handler.function(context, handler.word)
    }

    /// A vector without an owner: counted, acknowledged if it is a device's, and else ignored.
    @_semantics("no_performance_analysis") @inline(never)
    private static func missing(_ number: UInt8) {
        if number == Vector.spurious.number { return }
        unownedCount.wrappingAdd(1, ordering: .relaxed)
        if number < first {
            CPUArea.count(vector: number)
            LocalAPIC.endOfInterrupt()
        }
    }
}
