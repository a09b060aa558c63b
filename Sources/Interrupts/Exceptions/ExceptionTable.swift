// Where kernel code goes on after an access that faulted: `__ex_table`, pairs of self-relative 32-bit
// numbers (an instruction and its fixup), sorted at boot and searched by bisection.

import CMachine
import Machine

/// One pair, as the assembler lays it down (`EXCEPTION_TABLE_ENTRY` in assembly.h).
struct ExceptionTableEntry: Equatable {
    var instruction: Int32
    var fixup: Int32
}

/// A table in memory. Self-relative, so entries are worth something only at their own place.
@safe public struct ExceptionTable: @unchecked Sendable {
    private let entries: UnsafeMutablePointer<ExceptionTableEntry>
    let count: Int

    /// The `count` entries at `entries`, which must stay there and are not written after `sort`.
    @unsafe init(_ entries: UnsafeMutablePointer<ExceptionTableEntry>, count: Int) {
        unsafe self.entries = entries
        self.count = count
    }

    private func instruction(_ index: Int) -> UInt {
        // The index is below count in all callers.
        unsafe UInt(bitPattern: entries + index) &+ UInt(bitPattern: Int(entries[index].instruction))
    }

    private func target(_ index: Int) -> UInt {
        let place = unsafe UInt(bitPattern: entries + index) &+ 4
        return unsafe place &+ UInt(bitPattern: Int(entries[index].fixup))
    }

    /// Where to go on after a fault at `address`; nil when nobody expected one there. Any context.
    public func fixup(for address: UInt) -> UInt? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            let found = instruction(middle)
            if found == address { return target(middle) }
            if found < address { low = middle &+ 1 } else { high = middle }
        }
        return nil
    }

    /// Sorts by instruction. Boot only, before anything may fault; by insertion, since linkers leave
    /// the table nearly sorted.
    func sort() {
        for index in 0..<count {
            let moved = (instruction(index), target(index))
            var place = index
            while place > 0, instruction(place - 1) > moved.0 {
                put(place, instruction(place - 1), target(place - 1))
                place -= 1
            }
            put(place, moved.0, moved.1)
        }
    }

    private func put(_ index: Int, _ instruction: UInt, _ target: UInt) {
        let place = unsafe UInt(bitPattern: entries + index)
        unsafe entries[index] = ExceptionTableEntry(
            instruction: Int32(truncatingIfNeeded: instruction &- place),
            fixup: Int32(truncatingIfNeeded: target &- place &- 4))
    }

    #if APUS_KERNEL
        /// The kernel's own, between the linker script's symbols.
        static var kernel: ExceptionTable {
            let start = boot_ex_table_start()
            let size = Int(boot_ex_table_end() &- start)
            // The linker script places whole entries between its two symbols.
            return unsafe ExceptionTable(
                UnsafeMutablePointer(bitPattern: start)!,
                count: size / MemoryLayout<ExceptionTableEntry>.stride)
        }

        static func sortKernel() { kernel.sort() }

        /// Makes the interrupted context go on at the fixup of the instruction it is at. False when there is none.
        static func fixUp(_ regs: inout PtRegs) -> Bool {
            guard let target = kernel.fixup(for: UInt(regs.ip)) else { return false }
            regs.ip = UInt64(target)
            return true
        }
    #endif
}
