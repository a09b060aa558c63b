// The last way to restart: an exception with no table to deliver it shuts the processor down, and the
// chipset resets the machine (Intel SDM volume 3, 6.15, interrupt 8).

import CMachine

public enum TripleFault {
    public static func reset() -> Never {
        machine_lidt(0, 0)
        machine_breakpoint()
        while true { machine_halt() }
    }
}
