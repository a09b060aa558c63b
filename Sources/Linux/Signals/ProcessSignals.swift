// What the threads of a process share of its signals, under the lock `Process.signals`.

public struct ProcessSignals: ~Copyable {
    /// Signals for the process as a whole.
    var shared = SignalQueue()
    /// Threads that have not ended.
    var threads = ObjectList<LinuxTask>(.thread)
    /// CPU time of threads that have ended.
    var endedThreads = CPUUsage()
    /// Wait status that the process's first thread ended with.
    var firstThreadStatus: Int32 = 0
    /// Number of the thread that waits in `execve` for the others to end.
    var executingThread: UInt64?
    /// Wait status with which the whole process is ending; nil while it is not.
    var groupExit: Int32?
    /// The signal that is stopping the process, or has stopped it; nil while it runs.
    var stopSignal: Signal?
    /// A stop signal was taken and no SIGCONT has come since: it may still stop the process.
    var stopIsValid = false
    /// Threads that have stopped for it.
    var stoppedThreads = 0
    /// A stop or continuation that `wait` has not reported yet.
    var unreportedStop = false
    var unreportedContinue = false
    /// The parent is to be told of them by SIGCHLD.
    var noticeDue: StopNotice?

    enum StopNotice { case stopped, continued }

    /// Signals without a handler do nothing, SIGKILL included: init, until it crashes by itself.
    var isUnkillable = false

    init() {}

    /// All threads stand still.
    var isStopped: Bool { stopSignal != nil && stoppedThreads == threads.count }
}
