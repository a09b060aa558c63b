// How threads begin.

import CMachine
import Machine
import Memory
@_spi(ContextEntry) import Primitives
import Synchronization

extension Thread {
    /// Makes a thread that will run `start` in the kernel once `start()` is called, and end when it returns (or
    /// go to user mode, if it has become a user thread meanwhile). Inherits nice value and affinity, but no
    /// class: its work is not the caller's.
    /// May allocate; throws `.noMemory`.
    public static func create(
        name: ThreadName, userObject: AnyObject? = nil, start: @escaping (borrowing TaskContext) -> Void
    ) throws(Errno) -> Thread {
        let storage = try unsafe allocate(use: .kernel)
        unsafe storage.pointee.name = name
        unsafe storage.pointee.setUserObject(userObject)
        unsafe storage.pointee.start = start
        let thread = unsafe publish(storage)
        if thread.scheduling.class != .normal { thread.setScheduling(.normal) }
        return thread
    }

    /// Makes a user thread whose first act is to return to user mode with the registers that the caller writes to
    /// `userRegisters` before `start()`. Its floating-point state and segment bases are copies of the caller's.
    /// May allocate; throws `.noMemory`.
    public static func createUser(
        name: ThreadName, userObject: AnyObject?, _ task: borrowing TaskContext
    ) throws(Errno) -> Thread {
        let storage = try unsafe allocate(use: .user)
        guard unsafe ensureImage(storage) else {
            unsafe discard(storage)
            throw .noMemory
        }
        unsafe storage.pointee.name = name
        unsafe storage.pointee.setUserObject(userObject)
        unsafe storage.pointee.isUser = true
        unsafe UserState.copyCurrent(to: storage)
        return unsafe publish(storage)
    }

    /// Lets a created thread run. Once.
    public func start() {
        _ = Scheduler.wake(self, from: .new)
    }

    /// Throws away a created thread that was never started. By its creator only.
    public func discardUnstarted() {
        guard state == .new else { return }
        unsafe storage.pointee.start = nil
        unsafe storage.pointee.setUserObject(nil)
        unsafe storage.pointee.addressSpace?.release()
        unsafe storage.pointee.addressSpace = nil
        unsafe Self.discard(storage)
    }

    private static func allocate(use: FrameUse) throws(Errno) -> ThreadStorage.Pointer {
        let state = unsafe TaskState.current
        guard let storage = unsafe take(state) else { throw .noMemory }
        if unsafe storage.pointee.stack == nil {
            guard let stack = unsafe KernelStackHandle.allocate(use: use) else {
                unsafe discard(storage)
                throw .noMemory
            }
            unsafe storage.pointee.stack = stack
        }
        unsafe reset(storage)
        return unsafe storage
    }

    private static func take(_ state: TaskState.Pointer) -> ThreadStorage.Pointer? {
        if let storage = unsafe state.pointee.takeStorage() { return unsafe storage }
        guard unsafe state.pointee.growPool() else { return nil }
        return unsafe state.pointee.takeStorage()
    }

    /// Makes storage look like a thread's that has not run. Nobody else knows it.
    private static func reset(_ storage: ThreadStorage.Pointer) {
        unsafe storage.pointee.node = unsafe OrderedNode()
        unsafe storage.pointee.isQueued = false
        unsafe storage.pointee.mustMove = false
        unsafe storage.pointee.isUser = false
        unsafe storage.pointee.worker = 0
        unsafe storage.pointee.fpuCPU = .max
        unsafe storage.pointee.noticesSwitches = false
        unsafe storage.pointee.bases = SegmentBases()
        unsafe storage.pointee.stackTop = storage.pointee.stack?.top ?? 0
        unsafe storage.pointee.flags.store(0, ordering: .relaxed)
        unsafe storage.pointee.runtime.store(0, ordering: .relaxed)
        unsafe storage.pointee.delay.store(0, ordering: .relaxed)
        unsafe storage.pointee.turns.store(0, ordering: .relaxed)
        unsafe storage.pointee.userCycles.store(0, ordering: .relaxed)
        unsafe storage.pointee.voluntarySwitches.store(0, ordering: .relaxed)
        unsafe storage.pointee.involuntarySwitches.store(0, ordering: .relaxed)
        unsafe inherit(storage, from: currentStorage)
        // The stack is this thread's alone and nothing runs on it.
        unsafe storage.pointee.context.prepare(stackTop: storage.pointee.stackTop, entry: threadBegin)
    }

    private static func inherit(_ storage: ThreadStorage.Pointer, from parent: ThreadStorage.Pointer) {
        let scheduling = unsafe parent.pointee.wantedScheduling.load(ordering: .relaxed)
        unsafe storage.pointee.wantedScheduling.store(scheduling, ordering: .relaxed)
        // What they become in the run queue is the same, unless the word has changed meanwhile.
        unsafe storage.pointee.scheduling = parent.pointee.scheduling
        unsafe storage.pointee.nice = parent.pointee.nice
        unsafe storage.pointee.weight = parent.pointee.weight
        unsafe storage.pointee.schedulingClass = parent.pointee.schedulingClass
        unsafe storage.pointee.priority = parent.pointee.priority
        unsafe storage.pointee.turnUsed = 0
        unsafe storage.pointee.goesBehind = false
        unsafe storage.pointee.cpu.store(parent.pointee.cpu.load(ordering: .relaxed), ordering: .relaxed)
        let affinity = unsafe parent.pointee.isIdle ? CPUMask.all : parent.pointee.affinity.load()
        unsafe storage.pointee.affinity.store(affinity)
    }

    /// Gives the storage its number: from now on the handle is valid.
    private static func publish(_ storage: ThreadStorage.Pointer) -> Thread {
        let state = unsafe TaskState.current
        let number = unsafe state.pointee.nextIdentifier.wrappingAdd(1, ordering: .relaxed).oldValue
        unsafe storage.pointee.state.store(
            ThreadState.new.rawValue | ThreadState.blocked.rawValue, ordering: .relaxed)
        unsafe storage.pointee.identifier.store(number, ordering: .releasing)
        return unsafe Thread(storage)
    }
}

/// First Swift code of a fresh stack; `left` is what the switch carried. Interrupts are off.
private func threadBegin(_ left: UInt) {
    Scheduler.finishSwitch(from: left)
    InterruptFlag.enable()
    let storage = unsafe Thread.currentStorage
    // Only this thread touches its `start`; it is dropped as soon as it has run.
    if let start = unsafe storage.pointee.start {
        start(TaskContext())
        unsafe storage.pointee.start = nil
    }
    if unsafe !storage.pointee.isUser { Thread.exit(TaskContext()) }
    InterruptFlag.disable()
}
