// The argument of FUTEX_WAKE_OP: an operation on a word and a comparison with what it was before (futex(2)).

import Primitives

struct FutexOperation: Equatable {
    private let operation: UInt32
    private let comparison: UInt32
    private let operand: UInt32
    private let compared: Int32

    /// Bits 31-28 operation (8: the operand is a shift), 27-24 comparison, 23-12 operand, 11-0 compared value.
    init(encoded: UInt32) throws(Errno) {
        let code = encoded >> 28
        let argument = Self.signExtended(encoded >> 12 & 0xfff)
        operation = code & 7
        comparison = encoded >> 24 & 15
        compared = Self.signExtended(encoded & 0xfff)
        operand = code & 8 != 0 ? 1 << (UInt32(bitPattern: argument) & 31) : UInt32(bitPattern: argument)
        guard operation <= 4, comparison <= 5 else { throw .notImplemented }
    }

    /// A number of 12 bits.
    private static func signExtended(_ bits: UInt32) -> Int32 { Int32(bitPattern: bits << 20) >> 20 }

    /// The word's new value.
    func apply(to old: UInt32) -> UInt32 {
        switch operation {
        case 0: operand  // FUTEX_OP_SET
        case 1: old &+ operand  // FUTEX_OP_ADD
        case 2: old | operand  // FUTEX_OP_OR
        case 3: old & ~operand  // FUTEX_OP_ANDN
        default: old ^ operand  // FUTEX_OP_XOR
        }
    }

    /// Whether waiters of the second futex are woken, too.
    func holds(for old: UInt32) -> Bool {
        let old = Int32(bitPattern: old)
        switch comparison {
        case 0: return old == compared
        case 1: return old != compared
        case 2: return old < compared
        case 3: return old <= compared
        case 4: return old > compared
        default: return old >= compared
        }
    }
}
