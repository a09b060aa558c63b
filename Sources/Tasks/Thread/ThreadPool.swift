// Storage for threads: taken from the heap in chunks, used again for threads only. Free storage keeps
// its kernel stack and floating-point image for the next thread, up to a limit.

import Machine
import Primitives

/// Free storage of threads, in two lists. Guarded by an interrupts-off lock, since a dead thread's storage
/// comes back in the middle of a context switch.
@unsafe struct ThreadPool: ~Copyable {
    private var withStack: ThreadStorage.Pointer? = nil
    private var withoutStack: ThreadStorage.Pointer? = nil
    private var stackCount = 0
    /// Stacks kept in free storage when there are too many, and how many are: they are given back many at a time by
    /// the next thread that ends, since other CPUs must forget them.
    private static let stacksKept = 32
    private static let stackLimit = 64
    private var isTrimming = false

    init() {}

    /// Free storage, if there is any; the last given back first, so that it is warm.
    mutating func take() -> ThreadStorage.Pointer? {
        if let storage = unsafe withStack {
            unsafe withStack = storage.pointee.nextFree
            unsafe stackCount -= 1
            return unsafe storage
        }
        guard let storage = unsafe withoutStack else { return nil }
        unsafe withoutStack = storage.pointee.nextFree
        return unsafe storage
    }

    mutating func give(_ storage: ThreadStorage.Pointer) {
        if unsafe storage.pointee.stack == nil {
            unsafe storage.pointee.nextFree = withoutStack
            unsafe withoutStack = storage
        } else {
            unsafe storage.pointee.nextFree = withStack
            unsafe withStack = storage
            unsafe stackCount += 1
        }
    }

    /// A stack too many, for the caller to free without the lock.
    mutating func takeSurplusStack() -> KernelStackHandle? {
        let limit = unsafe isTrimming ? Self.stacksKept : Self.stackLimit
        unsafe isTrimming = unsafe stackCount > limit
        guard unsafe isTrimming, let storage = unsafe withStack else { return nil }
        unsafe withStack = storage.pointee.nextFree
        unsafe stackCount -= 1
        let stack = unsafe storage.pointee.stack
        unsafe storage.pointee.stack = nil
        unsafe give(storage)
        return unsafe stack
    }

    /// Adds a chunk of fresh storage; false if the heap has none.
    mutating func add(chunk: UnsafeMutableRawPointer, count: Int, stride: Int) {
        for index in 0..<count {
            // Inside the chunk, which is never freed.
            let storage = unsafe (chunk + index * stride).bindMemory(to: ThreadStorage.self, capacity: 1)
            unsafe storage.initialize(to: ThreadStorage())
            unsafe give(storage)
        }
    }
}
