// Exceptions of user programs become signals of the thread.

import Machine
import Primitives
import Tasks

extension SignalDelivery {
    /// An exception in user mode.
    static func raise(
        _ registers: UnsafeMutablePointer<PtRegs>, _ number: Int32, _ code: Int32, _ address: UInt,
        _ trap: Int32, _ error: UInt, _ task: borrowing TaskContext
    ) {
        guard let signal = Signal(checking: Int(number)) else { return }
        let isPageFault = trap == 14
        LinuxTask.withCurrent { current in
            current.lastFault = FaultRecord(
                trap: UInt(bitPattern: Int(trap)), error: error, address: isPageFault ? address : 0)
            let information = SignalInformation.fault(signal, code: code, address: address)
            // The entry path's frame on this thread's stack; nobody else uses it.
            if unsafe handleAtOnce(information, &registers.pointee, current, task) { return }
            current.process.force(information, on: current)
        }
    }
}

extension LinuxTask {
    /// A line in the log about a program that ends by its own fault.
    func reportCrash(_ information: SignalInformation) {
        let registers = userRegisters
        let name = thread.name
        var shown: [UInt8] = []
        for index in 0..<name.count { shown.append(name.bytes[index]) }
        printk(
            .info,
            "\(shown)[\(identifier)]: signal \(information.number) code \(information.code) address \(hex: information.words.0) ip \(hex: registers.ip) sp \(hex: registers.sp)"
        )
    }
}

extension Process {
    /// Signals without a handler do nothing to it. Any context but NMI.
    var isUnkillable: Bool { signals.withLockInterruptsOff { signals, _ in signals.isUnkillable } }
}
