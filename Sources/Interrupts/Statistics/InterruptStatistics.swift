// How often what came, for /proc/interrupts and /proc/stat. Figures of the moment: each is counted by its
// own CPU without a lock.

import Machine
import Primitives
import Synchronization

public enum InterruptStatistics {
    /// What /proc/interrupts says of a line that somebody has.
    public struct Line: Sendable {
        public let number: Int
        /// The chip, and the number that it knows the line by.
        public let chip: StaticString
        public let input: Int
        public let isLevel: Bool
        public let names: [StaticString]
        public let isDisabled: Bool
        /// How often nobody claimed it, and when last, in nanoseconds of `CycleClock`.
        public let unclaimed: UInt
        public let lastUnclaimed: UInt64
        /// For each possible CPU.
        public let counts: [UInt64]
    }

    /// Interrupts that are not a line's: the abbreviation and the words of /proc/interrupts.
    public enum Local: CaseIterable, Sendable {
        case nonMaskable, timer, spurious, reschedule, callFunction, invalidateTLB, machineCheck

        var vector: Vector {
            switch self {
            case .nonMaskable: .nonMaskable
            case .timer: .timer
            case .spurious: .spurious
            case .reschedule: .reschedule
            case .callFunction: .callFunction
            case .invalidateTLB: .invalidateTLB
            case .machineCheck: .machineCheck
            }
        }

        public var abbreviation: StaticString {
            switch self {
            case .nonMaskable: "NMI"
            case .timer: "LOC"
            case .spurious: "SPU"
            case .reschedule: "RES"
            case .callFunction: "CAL"
            case .invalidateTLB: "TLB"
            case .machineCheck: "MCE"
            }
        }

        public var words: StaticString {
            switch self {
            case .nonMaskable: "Non-maskable interrupts"
            case .timer: "Local timer interrupts"
            case .spurious: "Spurious interrupts"
            case .reschedule: "Rescheduling interrupts"
            case .callFunction: "Function call interrupts"
            case .invalidateTLB: "TLB shootdowns"
            case .machineCheck: "Machine check exceptions"
            }
        }

        public func count(on cpu: Int) -> UInt64 { CPUArea.count(vector: vector.number, cpu: cpu) }
    }

    /// The line of that number, if somebody has it. Allocates; task context.
    public static func line(_ number: Int) -> Line? {
        guard let line = unsafe IRQLines.line(number) else { return nil }
        var names: [StaticString] = []
        // Room for all, so that nothing allocates under the lock.
        names.reserveCapacity(IRQLine.maximumHandlers)
        var isLevel = false
        var isDisabled = false
        unsafe line.pointee.state.withLockInterruptsOff { state, _ in
            for index in 0..<state.count { unsafe names.append(line.pointee.handlers[index].name) }
            isLevel = state.wiring.isLevel
            isDisabled = state.disableDepth > 0
        }
        if names.isEmpty { return nil }
        return unsafe Line(
            number: number, chip: line.pointee.chip.name, input: line.pointee.chip.hardwareNumber,
            isLevel: isLevel, names: names, isDisabled: isDisabled,
            unclaimed: line.pointee.unclaimed.load(ordering: .relaxed),
            lastUnclaimed: line.pointee.lastUnclaimed.load(ordering: .relaxed),
            counts: (0..<CPUs.count).map { cpu in unsafe line.pointee.count(on: cpu) })
    }

    /// All interrupts of lines and local vectors on `cpu` since boot.
    public static func total(on cpu: Int) -> UInt64 {
        var sum: UInt64 = 0
        for number in Vector.timer.number...Vector.spurious.number {
            sum &+= CPUArea.count(vector: number, cpu: cpu)
        }
        for number in 0..<IRQ.count {
            if let line = unsafe IRQLines.line(number) { sum &+= unsafe line.pointee.count(on: cpu) }
        }
        return sum
    }

    /// Interrupts since boot of the line of that number on all CPUs; 0 where there is none.
    public static func total(line number: Int) -> UInt64 {
        guard let line = unsafe IRQLines.line(number) else { return 0 }
        var sum: UInt64 = 0
        for cpu in 0..<CPUs.count { sum &+= unsafe line.pointee.count(on: cpu) }
        return sum
    }

    /// Errors of local APICs since boot (`ERR`), and interrupts on vectors that nobody owns.
    public static var errors: UInt { InterruptControllers.errorCount }
    public static var unowned: UInt { Vectors.unowned }
}
