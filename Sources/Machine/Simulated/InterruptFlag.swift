// The interrupt flag of a simulated CPU, waiting and spinning.

import CMachine
import Glibc

public enum InterruptFlag {
    public static let mask: UInt64 = 1 << 9

    public static var isEnabled: Bool { SimulatedCPU.current.interruptsEnabled }

    public static func enable() {
        let cpu = SimulatedCPU.current
        cpu.interruptsEnabled = true
        if cpu.machine.isRunning { cpu.takeInterrupts() }
    }

    public static func disable() { SimulatedCPU.current.interruptsEnabled = false }

    public static func enableAndHalt() {
        let cpu = SimulatedCPU.current
        cpu.interruptsEnabled = true
        guard cpu.machine.isRunning else {
            sched_yield()
            return
        }
        cpu.interruptsTakenAtHalt = cpu.interruptsTaken
        cpu.machine.halt(cpu)
    }
}

public enum Spin {
    public static func pause() {
        let cpu = SimulatedCPU.current
        if cpu.machine.isRunning { cpu.machine.pause() } else { sched_yield() }
    }

    public static func halt() { pause() }

    public static func fence() {}

    /// Where another CPU may go on, or an interrupt come.
    public static func interleave() {
        let cpu = SimulatedCPU.current
        if cpu.machine.isRunning { cpu.machine.interleave() }
    }
}
