// What two threads must have in common to meet at a futex: the same word of the same memory.

import Memory
import Primitives

/// Identity of a futex. Private ones belong to an address space and an address in it; shared ones to the
/// memory object that is mapped there and the place in it, so that processes with different addresses meet.
struct FutexKey: Equatable {
    /// Address of the address space's or memory object's own object, which whoever waits keeps alive.
    let owner: UInt
    let offset: UInt

    init(owner: UInt, offset: UInt) {
        self.owner = owner
        self.offset = offset
    }

    static let bucketCount = 256

    /// Neighbouring words and equal offsets of different owners go to different buckets.
    var bucket: Int {
        var mixed = UInt64(owner >> 4) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ UInt64(offset >> 2)) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 56)
    }
}
