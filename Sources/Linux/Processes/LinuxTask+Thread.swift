// A task and its thread: who runs now, and waking a thread for a signal.

import Machine

extension LinuxTask {
    /// The task that runs this code; only in task context of a user program's thread.
    public static var current: LinuxTask {
        // The current thread's user object is its task, alive as long as the thread runs.
        unsafe Unmanaged<LinuxTask>.fromOpaque(UnsafeRawPointer(bitPattern: CPUArea.currentThread)!)
            .takeUnretainedValue()
    }

    /// Makes the thread look at its signals before it next runs user code: wakes it if it sleeps
    /// interruptibly (`fatal`: also if it is stopped or sleeps killably), interrupts its CPU if it
    /// runs. Any context but NMI.
    func wakeForSignal(fatal: Bool) {}
}
