// Programs that the kernel itself starts: children of init, as the super-user, with nothing open but /dev/null.

import Primitives
import Synchronization
import Tasks

enum HelperProgram {
    /// Starts `path`; `failed` is called in task context if that cannot be. Task context.
    static func start(_ path: StaticString, failed: @escaping @Sendable (Errno) -> Void) {
        do throws(Errno) {
            try Thread.create(name: "helper") { task in run(Text(stringLiteral: path).bytes, failed, task) }
                .start()
        } catch { failed(error) }
    }

    /// The helper's thread: goes to user mode when this returns.
    private static func run(
        _ path: [UInt8], _ failed: (Errno) -> Void, _ task: borrowing TaskContext
    ) {
        do throws(Errno) {
            guard let first = ProcessTable.process(1) else { throw .noSuchProcess }
            let helper = try makeProcess(below: first, task)
            do throws(Errno) {
                try execute(path, helper, task)
            } catch {
                failed(error)
                // 127: as a shell says that there is no such program.
                helper.process.beginExit(127 << 8)
                helper.end(task)
                Thread.exit(task)
            }
        } catch { failed(error) }
    }

    private static func makeProcess(
        below parent: Process, _ task: borrowing TaskContext
    ) throws(Errno) -> LinuxTask {
        guard let root = FileSystemContext.ended?.root else { throw .noSuchFile }
        let number = try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            guard let number = table.allocate() else { throw Errno.tryAgain }
            return number
        }
        let group = ProcessGroup(number, Session(number))
        let process = Process(
            identifier: number, group: group, actions: SignalActions(),
            limits: ResourceLimits(threads: UInt64(PidTable.limit)), addressSpace: nil)
        let helper = LinuxTask(
            identifier: number, process: process, credentials: Credentials(), files: DescriptorTable(),
            fileSystem: FileSystemContext(root: root, working: root))
        helper.thread = Thread.current
        do throws(Errno) {
            try Thread.becomeUser(task)
        } catch {
            ProcessTable.lock.withLockInterruptsOff { table, _ in table.cancel(number) }
            throw error
        }
        helper.account.threads.wrappingAdd(1, ordering: .relaxed)
        process.signals.withLockInterruptsOff { signals, _ in signals.threads.append(helper) }
        ProcessTable.lock.withLockInterruptsOff { table, _ in
            process.parent = parent
            parent.children.append(process)
            group.members.append(process)
            group.session.groupCount += 1
            table.update(number) {
                $0.task = helper
                $0.process = process
                $0.group = group
                $0.session = group.session
            }
        }
        helper.thread.setUserObject(helper)
        return helper
    }

    private static func execute(
        _ path: [UInt8], _ helper: LinuxTask, _ task: borrowing TaskContext
    ) throws(Errno) {
        let context = NameContext.kernel(helper.fileSystem.root)
        let null = try PathLookup.find(SystemCalls.bytes("/dev/null"), .follow, context, task)
        let file = try null.inode.open(null, .readWrite, task)
        for _ in 0..<3 { _ = try helper.files.insert(file, limit: 3, closeOnExec: false) }
        var execution = ExecutionRequest(name: path, context: .kernel(helper.fileSystem.root))
        try execution.arguments.append(path + [0], limit: execution.stringLimit)
        for variable: StaticString in ["HOME=/", "TERM=linux", "PATH=/sbin:/bin:/usr/sbin:/usr/bin"] {
            try execution.environment.append(
                Text(stringLiteral: variable).bytes + [0], limit: execution.stringLimit)
        }
        try helper.execute(execution, task)
    }
}
