// The pool of thread storage, through its lock.

import Machine
import Primitives

extension TaskState {
    func takeStorage() -> ThreadStorage.Pointer? {
        unsafe pool.withLockInterruptsOff { pool, _ in unsafe pool.take() }
    }

    func give(_ storage: ThreadStorage.Pointer) {
        unsafe pool.withLockInterruptsOff { pool, _ in unsafe pool.give(storage) }
    }

    func takeSurplusStack() -> KernelStackHandle? {
        unsafe pool.withLockInterruptsOff { pool, _ in unsafe pool.takeSurplusStack() }
    }

    /// Fetches storage for more threads from the heap; false if there is none.
    func growPool() -> Bool {
        let count = 16
        let stride = unsafe (MemoryLayout<ThreadStorage>.stride + 63) & ~63
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: stride * count, alignment: 64)
        unsafe pool.withLockInterruptsOff { pool, _ in
            unsafe pool.add(chunk: chunk, count: count, stride: stride)
        }
        return true
    }
}
