// The task on whose behalf the file side works, where it needs more than the caller passed down: limits, signals and
// identity. Kernel threads and tests have none; nothing limits them.

import Primitives
import Tasks

enum Caller {
    /// The running task; nil in a kernel thread.
    static var task: LinuxTask? {
        guard let object = Thread.current.userObject else { return nil }
        // The user object of a thread is its Linux task, alive as long as the thread runs.
        return unsafe unsafeDowncast(object, to: LinuxTask.self)
    }

    /// Whose files and rights count.
    static var credentials: Credentials { task?.credentials ?? Credentials() }

    /// Sends a signal to the running task.
    static func raise(_ signal: Signal) {
        guard let task else { return }
        _ = task.process.send(.kernel(signal), to: task)
    }
}

/// RLIMIT_FSIZE: how large a program may make files.
enum FileSizeLimit {
    /// Shortens a write at `position` to what the limit allows. SIGXFSZ and EFBIG if that is nothing.
    static func apply(to buffer: inout IOBuffer, _ position: Int) throws(Errno) {
        guard let limit = current else { return }
        guard position < limit else {
            Caller.raise(.fileSizeLimit)
            throw .fileTooLarge
        }
        buffer.shorten(to: limit &- position)
    }

    /// Throws the same if a file is not allowed to have `size` bytes.
    static func check(_ size: Int) throws(Errno) {
        guard let limit = current, size > limit else { return }
        Caller.raise(.fileSizeLimit)
        throw .fileTooLarge
    }

    /// Nil for no limit.
    private static var current: Int? {
        guard let task = Caller.task else { return nil }
        let limit = task.process.limit(.fileSize)
        return limit < UInt64(Int.max) ? Int(limit) : nil
    }
}
