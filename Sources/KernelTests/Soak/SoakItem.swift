// What a soak counts: how often an item was scheduled, ran, and was taken back before it ran.

import Machine
import Primitives
import Synchronization

/// The counts of one item. Handlers and functions find it by its address; its owner keeps it to the end of the soak.
@safe final class SoakItem: @unchecked Sendable {
    let scheduled = Atomic<Int>(0)
    let ran = Atomic<Int>(0)
    let takenBack = Atomic<Int>(0)
    /// Times it ran while it ran.
    let overlaps = Atomic<Int>(0)
    private let inside = Atomic<Int>(0)
    /// For what has no claim of its own: scheduled, and not yet begun.
    private let isClaimed = Atomic<Bool>(false)

    /// Sets or clears the claim; whether that changed it.
    func claim(_ value: Bool) -> Bool {
        isClaimed.exchange(value, ordering: .sequentiallyConsistent) != value
    }

    var word: UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    /// Calls `body` with the item at that address.
    static func with(_ word: UInt, _ body: (SoakItem) -> Void) {
        // Kept by its owner until everything that knows the address is idle for good.
        unsafe Unmanaged<SoakItem>.fromOpaque(UnsafeRawPointer(bitPattern: word).unsafelyUnwrapped)
            ._withUnsafeGuaranteedRef(body)
    }

    func countIn(_ isScheduled: Bool) {
        if isScheduled { scheduled.wrappingAdd(1, ordering: .relaxed) }
    }

    func countBack(_ isTaken: Bool) {
        if isTaken { takenBack.wrappingAdd(1, ordering: .relaxed) }
    }

    func run(_ body: () -> Void = {}) {
        if inside.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue != 0 {
            overlaps.wrappingAdd(1, ordering: .relaxed)
        }
        ran.wrappingAdd(1, ordering: .relaxed)
        body()
        inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
}

/// The counts of all items of a kind.
struct SoakSum {
    var scheduled = 0
    var ran = 0
    var takenBack = 0
    var overlaps = 0
    /// Items whose own counts do not come out even.
    var wrong = 0

    init(_ items: [SoakItem]) {
        for item in items {
            let (into, out) = (
                item.scheduled.load(ordering: .acquiring), item.ran.load(ordering: .acquiring)
            )
            let back = item.takenBack.load(ordering: .acquiring)
            scheduled += into
            ran += out
            takenBack += back
            overlaps += item.overlaps.load(ordering: .acquiring)
            if into != out + back { wrong += 1 }
        }
    }

    var isEven: Bool { wrong == 0 && overlaps == 0 && scheduled > 0 }
}
