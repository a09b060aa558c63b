// What a thread has for user mode: registers, floating point, segment bases.

import CMachine
import Machine
import Primitives

extension Thread {
    /// Where the registers of user mode are saved: at the top of the thread's kernel stack. To be written by the
    /// creator before `start()`, afterwards by the thread itself (or while it is stopped).
    @unsafe public var userRegisters: UnsafeMutablePointer<PtRegs> {
        // The top of a mapped stack; on the simulated machine of the memory that stands for it.
        unsafe UnsafeMutablePointer(
            bitPattern: ThreadContext.userRegistersAddress(stackTop: storage.pointee.stackTop))!
    }

    /// Makes the running kernel thread one that goes to user mode when its `start` function returns
    /// (the first program). Throws `.noMemory`.
    public static func becomeUser(_ task: borrowing TaskContext) throws(Errno) {
        let storage = unsafe currentStorage
        if unsafe storage.pointee.isUser { return }
        guard unsafe ensureImage(storage) else { throw .noMemory }
        unsafe UserState.startFresh(storage)
    }

    /// Floating point and segment bases as a new program finds them (execve).
    public static func resetUserState(_ task: borrowing TaskContext) {
        unsafe UserState.startFresh(currentStorage)
    }

    /// Segment bases of user mode. Of the running thread.
    public static var segmentBases: SegmentBases {
        get { unsafe UserState.currentBases(currentStorage) }
        set { unsafe UserState.setCurrentBases(currentStorage, newValue) }
    }

    /// Sets the segment bases of a thread that has not started (clone with CLONE_SETTLS). Addresses
    /// must be canonical and the user's.
    public func setInitialBases(_ bases: SegmentBases) { unsafe storage.pointee.bases = bases }

    public var initialBases: SegmentBases { unsafe storage.pointee.bases }

    /// Makes sure there is a floating-point image; false if there is no memory.
    static func ensureImage(_ storage: ThreadStorage.Pointer) -> Bool {
        if unsafe storage.pointee.fpuImage != nil { return true }
        let image = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: FPU.imageSize, alignment: FPU.imageAlignment)
        unsafe FPU.initialize(image)
        unsafe storage.pointee.fpuImage = image
        return true
    }
}
