// Walking this CPU's stack along the frame pointers, which the whole kernel keeps.

import CMachine

extension StackTrace {
    /// The callers of the function that calls this, without the innermost `skipped`. Any context; an interrupt's frame is
    /// walked over as `Backtrace` (room Interrupts) does.
    @_semantics("no_performance_analysis") @inline(never)
    public static func capture(skipping skipped: Int = 0) -> StackTrace {
        var trace = StackTrace()
        var frame = UInt(machine_frame_pointer())
        var left = skipped
        while frame >= KernelLayout.userEnd {
            if frame & 1 != 0 {
                guard let next = interruption(frame - 1, &trace) else { break }
                frame = next
                continue
            }
            guard frame & 7 == 0, let next = load(frame), let caller = load(frame + 8),
                caller >= KernelLayout.userEnd
            else { break }
            if left > 0 { left -= 1 } else if !trace.append(caller - 1) { break }
            frame = next
        }
        return trace
    }

    /// A PtRegs in the chain, whose frame pointer is the next.
    private static func interruption(_ regs: UInt, _ trace: inout StackTrace) -> UInt? {
        guard let ip = load(regs + UInt(PT_IP)), let segment = load(regs + UInt(PT_CS)), segment & 3 == 0,
            let next = load(regs + UInt(PT_BP)), trace.append(ip)
        else { return nil }
        return next
    }

    private static func load(_ address: UInt) -> UInt? {
        CheckedMemory.load(VirtualAddress(address)).map { UInt($0) }
    }
}
