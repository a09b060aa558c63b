// From an address to the identity of its futex.

import Machine
import Memory
import Primitives

/// A futex's key, with what keeps its owner alive while a thread waits.
struct FutexPlace {
    let key: FutexKey
    private let owner: AnyObject

    /// Throws `.invalid` for an address that is not a multiple of 4, `.badAddress` for one that is not the program's. A
    /// futex that is not private is looked up: in shared memory the key is that of the memory.
    init(_ address: UInt, isPrivate: Bool, _ task: borrowing TaskContext) throws(Errno) {
        guard address & 3 == 0 else { throw .invalid }
        guard UserMemory.isInRange(address, 4), let space = LinuxTask.current.process.addressSpace else {
            throw .badAddress
        }
        if !isPrivate {
            if let (object, page) = space.sharedPage(at: address) {
                owner = object
                let offset = UInt(bitPattern: page) &* pageSize &+ (address & (pageSize &- 1))
                key = FutexKey(owner: Self.identity(object), offset: offset)
                return
            }
            // As on Linux, memory that is not there is noticed.
            _ = try SystemCalls.load(UInt32.self, from: address, task)
        }
        owner = space
        key = FutexKey(owner: Self.identity(space), offset: address)
    }

    private static func identity(_ object: AnyObject) -> UInt {
        unsafe UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())
    }
}
