// All lines of the machine, by number. Lines 0 to 15 are the ISA bus's, wherever the firmware's table says
// that they are wired; the others have the number of their I/O APIC input.

import Machine
import Primitives

enum IRQLines {
    static let maximumLines = 1024
    /// Written once at boot, before any line is requested; then only the lines themselves change.
    nonisolated(unsafe) private static var lines: UnsafeMutablePointer<UnsafeMutablePointer<IRQLine>?>? = nil
    nonisolated(unsafe) private(set) static var count = 0

    /// Makes the lines. Boot only; allocates.
    static func initialize(overrides: [MADT.SourceOverride], cpus: Int) {
        let total = min(max(IOAPICs.lineCount, 16), maximumLines)
        let table = UnsafeMutablePointer<UnsafeMutablePointer<IRQLine>?>.allocate(capacity: total)
        unsafe table.initialize(repeating: nil, count: total)
        for number in 0..<total {
            let (place, wiring) = wiring(of: number, overrides)
            guard let place, let input = IOAPICs.input(line: place) else { continue }
            let line = UnsafeMutablePointer<IRQLine>.allocate(capacity: 1)
            unsafe line.initialize(to: IRQLine(number: number, input: input, wiring: wiring, cpus: cpus))
            unsafe table[number] = line
        }
        unsafe lines = table
        unsafe count = total
    }

    /// Which input the line is, and how it is wired: nil for an ISA line whose input another one has.
    static func wiring(of number: Int, _ overrides: [MADT.SourceOverride]) -> (
        place: Int?, wiring: LineWiring
    ) {
        guard number < 16 else { return (number, .pci) }
        for override in overrides where Int(override.source) == number {
            return (Int(override.line), override.wiring)
        }
        let isTaken = overrides.contains { Int($0.line) == number }
        return (isTaken ? nil : number, .isa)
    }

    /// The line of that number; nil when there is none.
    @inline(__always)
    static func line(_ number: Int) -> UnsafeMutablePointer<IRQLine>? {
        guard number >= 0, unsafe number < count else { return nil }
        // Below the table's size.
        return unsafe lines.unsafelyUnwrapped[number]
    }

    /// An interrupt of line `number`. Interrupts off. Not inlined, so that the shorter way of the local vectors
    /// saves no registers for this one.
    @inline(never)
    static func handle(_ number: Int, _ context: borrowing HardInterruptContext) {
        // Lines live as long as the kernel.
        unsafe line(number)?.pointee.handle(context)
    }
}
