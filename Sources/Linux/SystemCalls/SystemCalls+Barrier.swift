// membarrier: what other threads did before is seen by the caller afterwards, and the other way round.

import CrossCPU
import Machine
import Primitives
import Synchronization

extension SystemCalls {
    /// Commands of membarrier(2), one bit each.
    private enum BarrierCommand {
        static let global: UInt32 = 1
        static let globalExpedited: UInt32 = 2
        static let registerGlobalExpedited: UInt32 = 4
        static let privateExpedited: UInt32 = 8
        static let registerPrivateExpedited: UInt32 = 16
        static let privateExpeditedSyncCore: UInt32 = 32
        static let registerPrivateExpeditedSyncCore: UInt32 = 64
        static let privateExpeditedRSEQ: UInt32 = 128
        static let registerPrivateExpeditedRSEQ: UInt32 = 256
    }

    static func membarrier(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        typealias Command = BarrierCommand
        let command = arguments.a0.asUInt32
        // MEMBARRIER_CMD_FLAG_CPU goes with one command only.
        guard arguments.a1.asUInt32 == 0 || command == Command.privateExpeditedRSEQ && arguments.a1 == 1
        else { throw .invalid }
        let process = LinuxTask.current.process
        switch command {
        case 0: return 0x1ff  // QUERY
        case Command.global, Command.globalExpedited: try barrierOnAllCPUs()
        case Command.registerGlobalExpedited: break
        case Command.registerPrivateExpedited, Command.registerPrivateExpeditedSyncCore,
            Command.registerPrivateExpeditedRSEQ:
            process.barrierRegistrations.bitwiseOr(command, ordering: .relaxed)
        case Command.privateExpedited, Command.privateExpeditedSyncCore, Command.privateExpeditedRSEQ:
            // Each command's registration is the next bit.
            guard process.barrierRegistrations.load(ordering: .relaxed) & command << 1 != 0 else {
                throw .notPermitted
            }
            try barrierOnAllCPUs()
        default: throw .invalid
        }
        return 0
    }

    /// An interrupt on every CPU orders its memory accesses, and its return instruction fetches anew.
    private static func barrierOnAllCPUs() throws(Errno) {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let isDone = withPreemptionOff { off in
            (try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in
                atomicMemoryFence(ordering: .sequentiallyConsistent)
            }) != nil
        }
        // A system call has interrupts on, so the call is never refused.
        guard isDone else { throw .tryAgain }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }
}
