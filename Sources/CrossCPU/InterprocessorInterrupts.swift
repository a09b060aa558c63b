// Sending interrupts from CPU to CPU, and the three that the kernel uses: call function (0xfb), reschedule
// (0xfc) and TLB invalidation (0xfd). The low-priority kind waits in line with other interrupts; the high-priority
// one is an NMI, taken at once whatever the receiver does.

import Interrupts
import Machine
import Primitives
import Tasks

public enum InterprocessorInterrupts {
    /// Takes the vectors. Boot CPU, after `CrossCPU.boot`.
    public static func start() {
        Vectors.setHandler(
            .callFunction, VectorHandler { @Sendable context, _ in CrossCPU.functionInterrupt(context) })
        Vectors.setHandler(
            .invalidateTLB, VectorHandler { @Sendable context, _ in CrossCPU.translationInterrupt(context) })
        // Acknowledging is all: the way out of every interrupt reschedules if that is wanted.
        Vectors.setHandler(.reschedule, VectorHandler { @Sendable _, _ in Scheduler.rescheduleInterrupt() })
        unsafe TaskHooks.sendReschedule = { CPUSignal.send(Vector.reschedule.number, cpu: Int($0)) }
    }

    /// Interrupts one CPU, which exists. Any context.
    @inline(__always)
    public static func send(_ vector: Vector, to cpu: Int) { CPUSignal.send(vector.number, cpu: cpu) }

    /// Interrupts each CPU of `mask`. Any context.
    public static func send(_ vector: Vector, to mask: CPUMask) { send(vector.number, to: mask) }

    /// Interrupts this CPU. Any context.
    public static func sendToSelf(_ vector: Vector) { LocalAPIC.sendToSelf(vector: vector.number) }

    /// Interrupts all online CPUs, this one too. Any context.
    public static func sendToAll(_ vector: Vector) { send(vector.number, to: CPUs.online) }

    /// Interrupts all online CPUs but this one. Any context.
    public static func sendToOthers(_ vector: Vector) {
        var others = CPUs.online
        others.remove(CPU.index)
        send(vector.number, to: others)
    }

    /// Sends NMIs: handled at once and without locks. Any context.
    public static func sendNMI(to mask: CPUMask) { mask.forEach { CPUSignal.sendNMI(cpu: $0) } }

    /// One command for each set of CPUs that a command can reach, else one for each CPU. Where the mask is everybody, or
    /// everybody but this CPU, a shorthand: one command without destinations.
    static func send(_ vector: UInt8, to mask: CPUMask) {
        if mask[word: 1] | mask[word: 2] | mask[word: 3] == 0, let set = CPUSignal.flatSet(mask[word: 0]) {
            if set != 0 { CPUSignal.send(vector, set: set) }
            return
        }
        if broadcast(vector, to: mask) { return }
        var cluster: UInt32 = 0
        var set: UInt32 = 0
        mask.forEach { cpu in
            guard let part = CPUSignal.set(of: cpu) else { return CPUSignal.send(vector, cpu: cpu) }
            if part.cluster == cluster {
                set |= part.set
            } else {
                if set != 0 { CPUSignal.send(vector, set: set) }
                (cluster, set) = part
            }
        }
        if set != 0 { CPUSignal.send(vector, set: set) }
    }

    /// Sends by a shorthand if the mask has all CPUs there are, or all but this one; whether it has. A shorthand reaches
    /// every CPU of the machine, so it serves only while none of them is parked, left out or still to be started.
    private static func broadcast(_ vector: UInt8, to mask: CPUMask) -> Bool {
        let present = CPUs.presentCount
        let count = mask.count
        // Two receivers are told one by one as fast.
        guard present > 3, count >= present - 1, CPUs.online.intersection(mask) == mask else { return false }
        if count == present {
            CPUSignal.sendToAll(vector)
        } else if !mask.contains(CPU.index), CPUs.isOnline(CPU.index), CPUs.onlineCount == present {
            CPUSignal.sendToOthers(vector)
        } else {
            return false
        }
        return true
    }
}
