// The machines that run under the tool's eyes, so that none is left behind when the tool is told to
// end: an emulator without its tool would go on for ever.
import Dispatch
import Foundation
import Synchronization

/// The processes of running machines.
enum RunningMachines {
    /// Also taken on the queue of the signal sources, never in a signal handler.
    private static let processes = Mutex<Set<pid_t>>([])
    /// Kept for the program's life; written once, by `endWithTool`.
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

    static func add(_ process: pid_t) {
        processes.withLock { _ = $0.insert(process) }
    }

    static func remove(_ process: pid_t) {
        processes.withLock { _ = $0.remove(process) }
    }

    /// From now on the signals that end the tool end its machines first.
    static func endWithTool() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // A handler that does nothing, unlike SIG_IGN, is not inherited by the programs it starts.
            signal(number) { _ in }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                processes.withLock { for process in $0 { kill(process, SIGKILL) } }
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.activate()
            sources.append(source)
        }
    }
}
