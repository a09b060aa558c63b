// From an address to the identity of its futex.

import Machine
import Memory
import Primitives
import Tasks

extension FutexKey {
    /// The key of a private futex. Throws `.invalid` for an address that is not a multiple of 4, `.badAddress` for one that is
    /// not the program's.
    @inline(__always)
    init(private address: UInt) throws(Errno) {
        guard address & 3 == 0 else { throw .invalid }
        let space = Thread.currentAddressSpaceIdentity
        guard UserMemory.isInRange(address, 4), space != 0 else { throw .badAddress }
        // The address space lives as long as the thread that waits runs in it.
        self.init(owner: space, offset: address)
    }
}

/// A futex's key, with what keeps its owner alive while a thread waits.
struct FutexPlace {
    let key: FutexKey
    /// Of shared memory.
    private let owner: AnyObject?

    /// Throws as the key of a private futex does. One that is not private is looked up: in shared memory the key is that of
    /// the memory.
    init(_ address: UInt, isPrivate: Bool, _ task: borrowing TaskContext) throws(Errno) {
        let key = try FutexKey(private: address)
        if !isPrivate {
            if let space = Thread.currentAddressSpace,
                let (object, page) = space.sharedPage(at: address)
            {
                owner = object
                let offset = UInt(bitPattern: page) &* pageSize &+ (address & (pageSize &- 1))
                self.key = FutexKey(owner: Self.identity(object), offset: offset)
                return
            }
            // As on Linux, memory that is not there is noticed.
            _ = try SystemCalls.load(UInt32.self, from: address, task)
        }
        owner = nil
        self.key = key
    }

    private static func identity(_ object: AnyObject) -> UInt {
        unsafe UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())
    }
}
