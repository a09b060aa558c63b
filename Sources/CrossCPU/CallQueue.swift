// The calls of one kind: a lock-free list of nodes for each CPU. A node goes onto the receiver's list; an
// interrupt goes only to CPUs whose list was empty, since one that is not empty has its interrupt on the way.
// The receiver drains its list in hard interrupt context; a sender that waits spins until its nodes are
// unlocked.
//
// From the moment a sender has put a node onto an empty list until it has sent the interrupt, its own interrupts
// are off: else whoever interrupts it there could wait for a receiver that nobody has told.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization

/// What each CPU has for one kind of call.
@safe struct CallRow: ~Copyable, @unchecked Sendable {
    /// Producers: any CPU. Consumer: the CPU of this row.
    let list = unsafe LockFreeList<CallSingleData>()
    /// Address of the function that this CPU runs for another one, 0 if none: for reports.
    let running = Atomic<UInt>(0)
    /// This CPU's nodes, one for each receiver: what `callMany` queues. A node is taken with interrupts off.
    private let nodes: CallSingleData.Pointer
    /// This CPU's node for a call to one that does not wait.
    private let single = unsafe Cell(CallSingleData())

    init(receivers: Int) {
        // Lives as long as the kernel.
        unsafe nodes = .allocate(capacity: receivers)
        for receiver in 0..<receivers { unsafe (nodes + receiver).initialize(to: CallSingleData()) }
    }

    @inline(__always)
    borrowing func node(for receiver: Int) -> CallSingleData.Pointer { unsafe nodes + receiver }

    @inline(__always)
    borrowing func singleNode() -> CallSingleData.Pointer { unsafe single.address }
}

/// Calls with an interrupt vector of their own.
struct CallQueue: Sendable {
    let rows: PerCPU<CallRow>
    private let vector: UInt8

    /// Boot only.
    init(cpus: Int, vector: UInt8) {
        rows = PerCPU(count: cpus) { _ in CallRow(receivers: cpus) }
        self.vector = vector
    }

    // MARK: Sending

    /// Queues a locked node for a CPU that is or was online; true if the list was empty and the CPU must be told.
    @inline(__always)
    private func add(_ node: CallSingleData.Pointer, to cpu: Int) -> Bool {
        unsafe rows.withExisting(cpu) { row in unsafe row.list.add(node) }
    }

    @inline(__always)
    func interrupt(_ cpu: Int, _ off: borrowing InterruptsOff) {
        CPUSignal.sendInterruptsOff(vector, cpu: cpu)
    }

    /// Runs `body` with interrupts off, where they are on.
    @inline(__always)
    private func withoutInterrupts<R>(_ body: (borrowing InterruptsOff) -> R) -> R {
        InterruptFlag.disable()
        defer { InterruptFlag.enable() }
        return body(InterruptsOff())
    }

    /// Queues a locked node for another CPU, and interrupts that if nobody has. Any context but NMI.
    @inline(__always)
    func post(_ node: CallSingleData.Pointer, to cpu: Int) {
        withInterruptsOff { off in unsafe post(node, to: cpu, off) }
    }

    @inline(__always)
    private func post(_ node: CallSingleData.Pointer, to cpu: Int, _ off: borrowing InterruptsOff) {
        if unsafe add(node, to: cpu) { interrupt(cpu, off) }
    }

    /// Runs a function on another CPU and waits. Interrupts on, preemption off.
    @inline(__always)
    func call(_ cpu: Int, _ function: @escaping CallFunctionBody, _ argument: UInt) {
        var node = unsafe CallSingleData(function, argument)
        // Waited for, so the node outlives its use.
        unsafe withUnsafeMutablePointer(to: &node) { node in
            withoutInterrupts { off in unsafe post(node, to: cpu, off) }
            unsafe wait(for: node, on: cpu)
        }
    }

    /// Lets another CPU run a function and does not wait, unless the call before still has this CPU's node.
    /// Interrupts on, preemption off.
    @inline(__always)
    func callNoWait(_ cpu: Int, _ function: @escaping CallFunctionBody, _ argument: UInt) {
        rows.withCurrent { own in
            let node = unsafe own.singleNode()
            while true {
                let isPosted = withoutInterrupts { off in
                    guard unsafe node.pointee.lockOwn(synchronous: false) else { return false }
                    unsafe node.pointee.function = function
                    unsafe node.pointee.argument = argument
                    unsafe post(node, to: cpu, off)
                    return true
                }
                if isPosted { return }
                // Its receiver is whoever was called last.
                unsafe wait(for: node, on: cpu)
            }
        }
    }

    /// Lets each of the CPUs `targets`, of which this is none, run a function. With `waiting`, `waitMany` must follow.
    /// Interrupts on, preemption off.
    @inline(__always)
    func postMany(
        _ targets: CPUMask, waiting: Bool, _ function: @escaping CallFunctionBody, _ argument: UInt
    ) {
        post(targets[word: 0], word: 0, waiting, function, argument)
        if rows.count > 64 { postRest(targets, waiting, function, argument) }
    }

    @inline(never)
    private func postRest(
        _ targets: CPUMask, _ waiting: Bool, _ function: @escaping CallFunctionBody, _ argument: UInt
    ) {
        for word in 1..<4 { post(targets[word: word], word: word, waiting, function, argument) }
    }

    /// Waits until the CPUs `targets` have run what `postMany` queued.
    @inline(__always)
    func waitMany(_ targets: CPUMask) {
        wait(targets[word: 0], word: 0)
        if rows.count > 64 { waitRest(targets) }
    }

    @inline(never)
    private func waitRest(_ targets: CPUMask) {
        for word in 1..<4 { wait(targets[word: word], word: word) }
    }

    /// Posts to the CPUs of one word of a mask.
    @inline(__always)
    private func post(
        _ bits: UInt64, word: Int, _ waiting: Bool, _ function: @escaping CallFunctionBody, _ argument: UInt
    ) {
        var left = bits
        rows.withCurrent { own in
            while left != 0 {
                withoutInterrupts { off in post(&left, word, from: own, waiting, function, argument, off) }
                if left == 0 { return }
                // An earlier call has this node: the receiver gives it back.
                let cpu = word &* 64 &+ left.trailingZeroBitCount
                unsafe wait(for: own.node(for: cpu), on: cpu)
            }
        }
    }

    /// Queues nodes for the CPUs of `left` and takes those out, until one's node is in use.
    @inline(__always)
    private func post(
        _ left: inout UInt64, _ word: Int, from own: borrowing CallRow, _ waiting: Bool,
        _ function: @escaping CallFunctionBody, _ argument: UInt, _ off: borrowing InterruptsOff
    ) {
        var told: UInt64 = 0
        while left != 0 {
            let cpu = word &* 64 &+ left.trailingZeroBitCount
            let node = unsafe own.node(for: cpu)
            guard unsafe node.pointee.lockOwn(synchronous: waiting) else { break }
            unsafe node.pointee.function = function
            unsafe node.pointee.argument = argument
            if unsafe add(node, to: cpu) { told |= left & (0 &- left) }
            left &= left &- 1
        }
        if told != 0 { send(told, word, off) }
    }

    @inline(__always)
    private func send(_ bits: UInt64, _ word: Int, _ off: borrowing InterruptsOff) {
        if word == 0, let set = CPUSignal.flatSet(bits) {
            return CPUSignal.sendInterruptsOff(vector, set: set)
        }
        var mask = CPUMask()
        mask[word: word] = bits
        InterprocessorInterrupts.send(vector, to: mask)
    }

    // MARK: Waiting

    /// Waits for the CPUs of one word of a mask.
    @inline(__always)
    private func wait(_ bits: UInt64, word: Int) {
        var left = bits
        rows.withCurrent { own in
            while left != 0 {
                let cpu = word &* 64 &+ left.trailingZeroBitCount
                unsafe wait(for: own.node(for: cpu), on: cpu)
                left &= left &- 1
            }
        }
    }

    @inline(__always)
    private func wait(for node: CallSingleData.Pointer, on cpu: Int) {
        // Most answer within a few turns: the clock is not read for them.
        var turns = 0
        while turns < CallPatience.turns {
            if unsafe !node.pointee.isLocked { return }
            Spin.pause()
            turns &+= 1
        }
        unsafe waitLong(for: node, on: cpu)
    }

    /// Spins until the node is unlocked; tells who does not answer, and interrupts it once more.
    @inline(never)
    private func waitLong(for node: CallSingleData.Pointer, on cpu: Int) {
        var patience = CallPatience()
        while true {
            for _ in 0..<CallPatience.turns {
                if unsafe !node.pointee.isLocked { return }
                Spin.pause()
            }
            if !patience.isOver { continue }
            unsafe CallReport.write(self, node, cpu, waited: patience.waited)
            // The interrupt may have been lost.
            let isQueued = rows.withRemote(cpu) { unsafe !$0.list.isEmpty }
            if isQueued { CPUSignal.send(vector, cpu: cpu) }
            patience.renew()
        }
    }

    // MARK: Receiving

    @inline(__always)
    var isEmptyHere: Bool { rows.withCurrent { unsafe $0.list.isEmpty } }

    /// Runs what others posted for this CPU, oldest first: from the interrupt, from the idle loop, and as a CPU goes
    /// offline.
    @inline(__always)
    func flush(_ context: borrowing HardInterruptContext) {
        rows.withCurrent { row in
            unsafe row.list.drain { node in
                let function = unsafe node.pointee.function
                let argument = unsafe node.pointee.argument
                let isWaitedFor =
                    unsafe node.pointee.flags.load(ordering: .relaxed) & CallFlags.synchronous != 0
                // A node nobody waits for goes back first, so that its function may start it again.
                if !isWaitedFor { unsafe node.pointee.unlock() }
                if let function {
                    row.running.store(unsafe unsafeBitCast(function, to: UInt.self), ordering: .relaxed)
                    LocalCall.run(function, context, argument)
                    row.running.store(0, ordering: .relaxed)
                }
                if isWaitedFor { unsafe node.pointee.unlock() }
            }
        }
    }
}
