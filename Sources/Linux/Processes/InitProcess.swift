// Process 1: from the kernel's first thread to the first program, and what happens when it ends.

import Machine
import Memory
import Primitives
import Synchronization
import Tasks

public enum InitProcess {
    /// What is tried when the command line names no program.
    private static let usual: [StaticString] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"]

    /// What to start.
    public struct Request {
        /// `init=` or `rdinit=`; nil for the usual places.
        public var path: [UInt8]?
        /// Words for init, without its own name.
        public var arguments: [[UInt8]] = []
        /// `name=value`.
        public var environment: [[UInt8]] = []
        /// The root directory.
        public var root: Path

        public init(root: Path) { self.root = root }
    }

    /// Why there is no first program.
    public struct Failure: Error {
        public let message: LogMessage
    }

    /// Makes the running kernel thread process 1 and gives it its first program, with `/dev/console` as
    /// standard input, output and error. On success the thread goes to user mode when its start function returns.
    /// Called once, on the thread's own stack.
    public static func start(_ request: Request, _ task: borrowing TaskContext) throws(Failure) {
        Futex.boot()
        SignalDelivery.install()
        let current: LinuxTask
        do throws(Errno) {
            current = try makeProcess(request, task)
        } catch { throw Failure(message: "cannot make process 1: \(error.name)") }
        openConsole(current, task)
        if let path = request.path {
            if let error = attempt(path, request, current, task) { throw failure(path, error) }
            return
        }
        var last: Failure?
        let first: [UInt8] = [UInt8]("/init".utf8)
        for path in [first] + usual.map({ SystemCalls.bytes($0) }) {
            guard let error = attempt(path, request, current, task) else { return }
            // A file that is not there is no reason to complain.
            if error != .noSuchFile { last = failure(path, error) }
        }
        throw last
            ?? Failure(
                message: "no init found: /init, /sbin/init, /etc/init, /bin/init and /bin/sh are missing")
    }

    private static func failure(_ path: [UInt8], _ error: Errno) -> Failure {
        Failure(message: "cannot execute init \(path): \(error.name)")
    }

    private static func makeProcess(
        _ request: Request, _ task: borrowing TaskContext
    ) throws(Errno) -> LinuxTask {
        let number = try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            guard let number = table.allocate() else { throw Errno.tryAgain }
            return number
        }
        // The kernel's own group and session, which nothing can be moved to.
        let group = ProcessGroup(0, Session(0))
        let process = Process(
            identifier: number, group: group, actions: SignalActions(),
            limits: ResourceLimits(threads: UInt64(PidTable.limit)), addressSpace: nil)
        let fileSystem = FileSystemContext(root: request.root, working: request.root)
        FileSystemContext.makeEnded(root: request.root)
        let current = LinuxTask(
            identifier: number, process: process, credentials: Credentials(), files: DescriptorTable(),
            fileSystem: fileSystem)
        current.thread = Thread.current
        current.account.threads.wrappingAdd(1, ordering: .relaxed)
        process.signals.withLockInterruptsOff { signals, _ in
            signals.threads.append(current)
            signals.isUnkillable = true
        }
        ProcessTable.lock.withLockInterruptsOff { table, _ in
            group.members.append(process)
            table.update(number) {
                $0.task = current
                $0.process = process
            }
        }
        try Thread.becomeUser(task)
        current.thread.setUserObject(current)
        return current
    }

    private static func openConsole(_ current: LinuxTask, _ task: borrowing TaskContext) {
        do throws(Errno) {
            let context = NameContext.kernel(current.fileSystem.root)
            let path = try PathLookup.find(SystemCalls.bytes("/dev/console"), .follow, context, task)
            let file = try path.inode.open(path, .readWrite, task)
            for _ in 0..<3 { _ = try current.files.insert(file, limit: 3, closeOnExec: false) }
        } catch { printk(.warning, "init has no console: /dev/console: \(error.name)") }
    }

    /// Nil if the program is the thread's now.
    private static func attempt(
        _ path: [UInt8], _ request: Request, _ current: LinuxTask, _ task: borrowing TaskContext
    ) -> Errno? {
        do throws(Errno) {
            var execution = ExecutionRequest(name: path, context: .kernel(current.fileSystem.root))
            try execution.arguments.append(path + [0], limit: execution.stringLimit)
            for argument in request.arguments {
                try execution.arguments.append(argument + [0], limit: execution.stringLimit)
            }
            for variable in request.environment {
                try execution.environment.append(variable + [0], limit: execution.stringLimit)
            }
            try current.execute(execution, task)
            printk(.info, "Run \(path) as init process")
            return nil
        } catch { return error }
    }

    /// Init has ended: the system is over.
    static func ended(_ status: Int32, _ task: borrowing TaskContext) {
        // What programs wrote last comes before the kernel's last words.
        Terminals.drainForShutdown()
        if status & 0x7f == 0 {
            printk(.emergency, "init exited with status \(status >> 8 & 0xff)")
        } else {
            printk(.emergency, "init was killed by signal \(status & 0x7f)")
        }
        unsafe KernelHooks.initExited?(status)
    }
}

extension Errno {
    /// For messages.
    var name: LogMessage {
        switch self {
        case .notPermitted: "operation not permitted"
        case .noSuchFile: "no such file or directory"
        case .inputOutput: "input/output error"
        case .argumentListTooLong: "argument list too long"
        case .notExecutable: "not an executable program for this machine"
        case .noMemory: "out of memory"
        case .accessDenied: "permission denied"
        case .notDirectory: "not a directory"
        case .isDirectory: "is a directory"
        case .symbolicLinkLoop: "too many levels of symbolic links"
        case .nameTooLong: "file name too long"
        case .badLibrary: "its interpreter is not an ELF program"
        case .noSuchDevice, .noDevice: "no such device"
        default: "error \(code)"
        }
    }
}
