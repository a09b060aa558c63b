// All lines of the machine, by number. Lines 0 to 15 are the ISA bus's, wherever the firmware's table says
// that they are wired; the others have the number of their I/O APIC input.

import Machine
import Primitives

enum IRQLines {
    static let maximumLines = 1024
    /// Written once at boot, before any line is requested; then only the lines themselves change.
    nonisolated(unsafe) private static var lines: UnsafeMutablePointer<UnsafeMutablePointer<IRQLine>?>? = nil
    nonisolated(unsafe) private(set) static var count = 0
    /// Numbers for lines that are messages, behind those of the I/O APICs.
    private static let messageLines = 64
    /// The next number for one. Task context.
    private static let nextMessage = SpinLock(0)

    /// Makes the lines. Boot only; allocates.
    /// - Parameter legacy: lines 0 to 15 are the 8259s', and there are no others.
    static func initialize(overrides: [MADT.SourceOverride], cpus: Int, legacy: Bool = false) {
        let wired = min(max(legacy ? 16 : IOAPICs.lineCount, 16), maximumLines)
        let total = wired + messageLines
        nextMessage.withLock { $0 = wired }
        let table = UnsafeMutablePointer<UnsafeMutablePointer<IRQLine>?>.allocate(capacity: total)
        unsafe table.initialize(repeating: nil, count: total)
        for number in 0..<wired {
            let made = legacy ? legacyLine(number) : inputLine(number, overrides)
            guard let (chip, wiring) = made else { continue }
            let line = UnsafeMutablePointer<IRQLine>.allocate(capacity: 1)
            unsafe line.initialize(to: IRQLine(number: number, chip: chip, wiring: wiring, cpus: cpus))
            unsafe table[number] = line
        }
        unsafe lines = table
        unsafe count = total
    }

    private static func inputLine(_ number: Int, _ overrides: [MADT.SourceOverride]) -> (
        LineChip, LineWiring
    )? {
        let (place, wiring) = wiring(of: number, overrides)
        guard let place, let input = IOAPICs.input(line: place) else { return nil }
        return (.ioAPIC(input), wiring)
    }

    /// Line 2 connects the two chips.
    private static func legacyLine(_ number: Int) -> (LineChip, LineWiring)? {
        if number == 2 { return nil }
        let wiring = InterruptController8259.isLevel(number) ? LineWiring.pci : .isa
        return (.legacy(LegacyInput(pin: number)), wiring)
    }

    /// Makes a line of a device's message, and returns its number. Task context; allocates. Lines stay for good.
    static func add(_ input: MessageInput) throws(IRQError) -> Int {
        let number = nextMessage.withLock { next in
            defer { next += 1 }
            return next
        }
        guard unsafe number < count else { throw .noSuchLine }
        let line = UnsafeMutablePointer<IRQLine>.allocate(capacity: 1)
        unsafe line.initialize(
            to: IRQLine(number: number, chip: .message(input), wiring: .isa, cpus: CPUs.count))
        Spin.fence()
        // Below the table's size, and nobody knows the number yet.
        unsafe lines.unsafelyUnwrapped[number] = line
        return number
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

    /// An interrupt of the line whose descriptor is at `place`. Interrupts off. Not inlined, so that the shorter way of
    /// the local vectors saves no registers for this one.
    @inline(never)
    static func handle(at place: UInt, _ context: borrowing HardInterruptContext) {
        // Vectors are given to lines only, which live as long as the kernel.
        unsafe UnsafePointer<IRQLine>(bitPattern: place).unsafelyUnwrapped.pointee.handle(context)
    }

    /// The address of a line's descriptor.
    static func place(_ number: Int) -> UInt { unsafe line(number).map { UInt(bitPattern: $0) } ?? 0 }
}
