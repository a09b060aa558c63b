// Restartable sequences (rseq(2)): the kernel keeps the number of the thread's CPU in its memory, and sends a
// sequence that was interrupted to its abort handler.

import Machine
import Primitives
import Tasks

/// A thread's registration.
struct RestartableSequence {
    /// Where `struct rseq` lies, 0 if none is registered.
    var address: UInt = 0
    var signature: UInt32 = 0

    /// Bytes and alignment of the first version of `struct rseq`.
    static let size: UInt32 = 32

    var isRegistered: Bool { address != 0 }
}

/// `struct rseq_cs`: a sequence of instructions.
private struct CriticalSection {
    var version: UInt32 = 0
    var flags: UInt32 = 0
    var start: UInt64 = 0
    var length: UInt64 = 0
    var abort: UInt64 = 0
}

extension SystemCalls {
    static func rseq(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let current = LinuxTask.current
        let (address, size) = (arguments.a0, arguments.a1.asUInt32)
        let (flags, signature) = (arguments.a2.asInt32, arguments.a3.asUInt32)
        guard flags & ~1 == 0 else { throw .invalid }
        if flags == 1 {  // RSEQ_FLAG_UNREGISTER
            guard current.rseq.isRegistered, current.rseq.address == address,
                size == RestartableSequence.size
            else { throw .invalid }
            guard current.rseq.signature == signature else { throw .notPermitted }
            try store(UInt32(0), to: address, task)
            // RSEQ_CPU_ID_UNINITIALIZED
            try store(UInt32.max, to: address &+ 4, task)
            current.setRestartableSequence(RestartableSequence())
            return 0
        }
        if current.rseq.isRegistered {
            guard current.rseq.address == address, size == RestartableSequence.size else { throw .invalid }
            guard current.rseq.signature == signature else { throw .notPermitted }
            throw .busy
        }
        guard address != 0, address & UInt(RestartableSequence.size - 1) == 0,
            size == RestartableSequence.size
        else { throw .invalid }
        guard address < KernelLayout.userEnd else { throw .badAddress }
        current.setRestartableSequence(RestartableSequence(address: address, signature: signature))
        return 0
    }
}

extension LinuxTask {
    func setRestartableSequence(_ new: RestartableSequence) {
        rseq = new
        Thread.noticeSwitches(new.isRegistered)
        if new.isRegistered { thread.setFlags(.notifyResume) }
    }

    /// Before the thread returns to user mode after it was switched away, or for the first time.
    func resume(_ registers: inout PtRegs, _ task: borrowing TaskContext) {
        thread.clearFlags(.notifyResume)
        if storeIdentifierAt != 0 {
            let address = storeIdentifierAt
            storeIdentifierAt = 0
            // An address the program may not write is its own loss.
            _ = try? SystemCalls.store(identifier, to: address, task)
        }
        guard rseq.isRegistered, !isEnding else { return }
        rseqAbort(&registers, task)
        do throws(Errno) {
            let cpu = UInt32(truncatingIfNeeded: CPU.index)
            try SystemCalls.store(UInt64(cpu) << 32 | UInt64(cpu), to: rseq.address, task)
        } catch { process.force(.kernel(.segmentation), on: self) }
    }

    /// Sends a sequence that the thread is in to its abort handler. Also before a signal handler.
    func rseqAbort(_ registers: inout PtRegs, _ task: borrowing TaskContext) {
        guard rseq.isRegistered else { return }
        do throws(Errno) {
            let place = try SystemCalls.load(UInt64.self, from: rseq.address &+ 8, task)
            guard place != 0 else { return }
            guard place < UInt64(KernelLayout.userEnd) else { throw .badAddress }
            let section = try SystemCalls.load(CriticalSection.self, from: UInt(place), task)
            guard section.version == 0, section.abort < UInt64(KernelLayout.userEnd),
                section.abort &- section.start >= section.length
            else { throw .invalid }
            try SystemCalls.store(UInt64(0), to: rseq.address &+ 8, task)
            guard registers.ip &- section.start < section.length else { return }
            let signature = try SystemCalls.load(UInt32.self, from: UInt(section.abort) &- 4, task)
            guard signature == rseq.signature else { throw .invalid }
            registers.ip = section.abort
        } catch { process.force(.kernel(.segmentation), on: self) }
    }
}
