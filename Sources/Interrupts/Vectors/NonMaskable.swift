// Who is asked when an NMI comes, and what becomes of one that nobody wanted.

import Machine
import Primitives
import Synchronization

public enum NonMaskable {
    /// Answers whether the NMI was its own. Marked `@_noAllocation`, takes no locks.
    public typealias Function = @convention(thin) @Sendable (borrowing NMIContext) -> Bool

    /// Set with interrupts off while the slot is nil; read by any CPU at any time.
    nonisolated(unsafe) private static var handlers = InlineArray<4, Function?>(repeating: nil)
    private static let unclaimed = Atomic<UInt>(0)

    /// Adds a handler for good. Boot only.
    /// - Returns: false when there is no room for a fifth one.
    public static func addHandler(_ handler: Function) -> Bool {
        for slot in 0..<4 where unsafe handlers[slot] == nil {
            unsafe handlers[slot] = handler
            return true
        }
        return false
    }

    /// How many NMIs nobody claimed.
    public static var unclaimedCount: UInt { unclaimed.load(ordering: .relaxed) }

    static func dispatch(_ context: borrowing NMIContext) {
        var claimed = false
        for slot in 0..<4 where call(slot, context) { claimed = true }
        if !claimed { report() }
    }

    /// The indirect call, which the compiler cannot see through.
    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ slot: Int, _ context: borrowing NMIContext) -> Bool {
        unsafe handlers[slot]?(context) ?? false
    }

    @_semantics("no_performance_analysis") @inline(never)
    private static func report() {
        let count = unclaimed.wrappingAdd(1, ordering: .relaxed).newValue
        printk(.emergency, "NMI \(count) on CPU \(CPU.index) that nobody claims")
    }
}
