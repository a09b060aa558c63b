// One CPU makes others run a function. Each CPU has a lock-free list of calls; a call is a node on it, and
// an IPI goes only to CPUs whose list was empty, since one that is not empty has its interrupt on the way.
// The receiver drains its list in hard interrupt context; a sender that waits spins until its nodes are
// unlocked.
//
// Nodes: CPU `s` calling CPU `r` uses node `s` of CPU `r`'s row, so no call ever allocates. A node in use
// (locked) makes the next call from the same sender to the same receiver wait for the receiver.

import Machine
import Primitives
import Synchronization

/// A function that other CPUs run, in hard interrupt context with interrupts off.
public typealias CallFunctionBody = @convention(thin) (borrowing HardInterruptContext, UInt) -> Void

/// One queued call (Linux's `__call_single_data`): link, function, argument, flags.
struct CallSingleData: ~Copyable {
    let link = LockFreeLink()
    /// 1 from the moment the sender fills the node in until the receiver has run it.
    let locked = Atomic<UInt32>(0)
    var function: CallFunctionBody? = nil
    var argument: UInt = 0
}

/// What each CPU has for one kind of call.
@safe struct CallRow: ~Copyable, @unchecked Sendable {
    /// Producers: any CPU. Consumer: the CPU of this row.
    let list = LockFreeList<CallSingleData>()
    /// A node for each sender; filled in by that sender while it holds the node's lock flag.
    let nodes: UnsafeMutablePointer<CallSingleData>

    init(senders: Int) {
        // Lives as long as the kernel.
        unsafe nodes = .allocate(capacity: senders)
        for sender in 0..<senders { unsafe (nodes + sender).initialize(to: CallSingleData()) }
    }
}

/// Calls with an interrupt vector of their own: `CrossCPU.functions` (0xfb) and `CrossCPU.translations` (0xfd).
public struct CallQueue: Sendable {
    private let rows: PerCPU<CallRow>
    private let sendIPI: @convention(thin) (CPUMask) -> Void
    private let count: Int

    /// Boot only.
    /// - Parameter sendIPI: interrupts the CPUs of a mask with this queue's vector.
    public init(cpus: Int, sendIPI: @escaping @convention(thin) (CPUMask) -> Void) {
        count = cpus
        rows = PerCPU(count: cpus) { _ in CallRow(senders: cpus) }
        self.sendIPI = sendIPI
    }

    /// Runs `function(argument)` on each CPU of `mask` except the calling one.
    /// - Parameter wait: return only when all have run it. Interrupts must be on then, since two CPUs that
    ///   wait for each other must take each other's calls.
    public func call(
        _ mask: CPUMask, wait: Bool, _ off: borrowing PreemptionOff, _ argument: UInt,
        _ function: @escaping CallFunctionBody
    ) {
        precondition(
            !PreemptCount.inHardInterrupt,
            "a call from a hard interrupt would share its nodes with the interrupted one")
        precondition(!wait || InterruptFlag.isEnabled, "a call that waits with interrupts off can deadlock")
        let sender = CPU.index
        var targets = mask
        targets.remove(sender)
        var interrupt = CPUMask()
        targets.forEach { cpu in
            if post(function, argument, from: sender, to: cpu) { interrupt.insert(cpu) }
        }
        if !interrupt.isEmpty { send(interrupt) }
        if wait { targets.forEach { self.waitForUnlock(sender, $0) } }
    }

    /// Fills in the sender's node of `cpu` and queues it; true if the list was empty.
    private func post(_ function: @escaping CallFunctionBody, _ argument: UInt, from sender: Int, to cpu: Int)
        -> Bool
    {
        waitForUnlock(sender, cpu)
        return rows.withRemote(cpu) { row in
            // Unlocked, so neither the receiver nor another call uses this node.
            let node = unsafe row.nodes + sender
            unsafe node.pointee.locked.store(1, ordering: .relaxed)
            unsafe node.pointee.function = function
            unsafe node.pointee.argument = argument
            return unsafe row.list.add(node)
        }
    }

    @inline(__always)
    private func waitForUnlock(_ sender: Int, _ cpu: Int) {
        rows.withRemote(cpu) { row in
            while unsafe row.nodes[sender].locked.load(ordering: .acquiring) != 0 { Spin.pause() }
        }
    }

    @_semantics("no_performance_analysis")
    private func send(_ mask: CPUMask) { sendIPI(mask) }

    /// Runs what others posted for this CPU: from the IPI, from the idle loop, and as a CPU goes offline.
    @inline(__always)
    public func flush(_ context: borrowing HardInterruptContext) {
        rows.withRemote(CPU.index) { row in
            unsafe row.list.drain { node in
                let function = unsafe node.pointee.function
                let argument = unsafe node.pointee.argument
                if let function { Self.run(function, context, argument) }
                unsafe node.pointee.locked.store(0, ordering: .releasing)
            }
        }
    }

    /// The one indirect call of the receiver.
    @_semantics("no_performance_analysis") @inline(__always)
    private static func run(
        _ function: CallFunctionBody, _ context: borrowing HardInterruptContext, _ argument: UInt
    ) { function(context, argument) }
}
