// The handler of each vector above the exceptions.

import Machine
import Primitives
import Synchronization

public enum Vectors {
    /// Handlers by vector. Written with interrupts off, before the vector can come or while it is masked;
    /// read by every CPU without a lock.
    nonisolated(unsafe) private static var handlers = InlineArray<256, VectorHandler?>(repeating: nil)
    private static let unownedCount = Atomic<UInt>(0)

    /// Gives `vector` its handler. Interrupts of the local vectors (239 and above) have been acknowledged when it
    /// is called; the handler of a device's vector acknowledges them itself.
    public static func setHandler(_ vector: Vector, _ handler: VectorHandler) {
        // The index is below 256. Whoever sets a handler does so before its interrupts come.
        withInterruptsOff { _ in unsafe handlers[Int(vector.number)] = handler }
    }

    /// Takes the handler of `vector` away; its interrupts are then counted and acknowledged.
    public static func removeHandler(_ vector: Vector) {
        withInterruptsOff { _ in unsafe handlers[Int(vector.number)] = nil }
    }

    /// Whether `vector` has a handler.
    public static func hasHandler(_ vector: Vector) -> Bool { unsafe handlers[Int(vector.number)] != nil }

    /// How many interrupts came on vectors that nobody owns.
    public static var unowned: UInt { unownedCount.load(ordering: .relaxed) }

    /// One interrupt, from its vector to its handler. Interrupts are off.
    @inline(__always)
    static func dispatch(_ number: UInt8, _ context: borrowing HardInterruptContext) {
        CPUArea.count(vector: number)
        // A spurious interrupt is not in service, so acknowledging it would end another one (Intel SDM
        // volume 3, 10.9).
        if number >= Vector.timer.number, number != Vector.spurious.number { LocalAPIC.endOfInterrupt() }
        call(number, context)
    }

    /// The indirect call, which the compiler cannot see through.
    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ number: UInt8, _ context: borrowing HardInterruptContext) {
        guard let handler = unsafe handlers[Int(number)] else { return missing(number) }
        handler.function(context, handler.word)
    }

    /// A vector without a handler: counted, acknowledged if it is a device's, and else ignored.
    @inline(never)
    private static func missing(_ number: UInt8) {
        if number == Vector.spurious.number { return }
        unownedCount.wrappingAdd(1, ordering: .relaxed)
        if number < Vector.timer.number { LocalAPIC.endOfInterrupt() }
    }
}
