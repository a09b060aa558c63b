// Registers that say more about an exception: DR6, the floating-point status, the machine-check banks.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Primitives

    /// The debug status register.
    enum DebugStatus {
        /// The bits that are always set (Intel SDM volume 3, 17.2.3).
        private static let cleared: UInt64 = 0xffff_0ff0

        /// Reads DR6 and clears it, as the processor never does.
        static func take() -> UInt64 {
            let status = machine_read_dr6()
            machine_write_dr6(cleared)
            return status & ~cleared
        }
    }

    /// Floating-point exceptions that are raised and not masked, in the state of the thread that runs.
    enum FloatingPointStatus {
        static var x87: UInt32 {
            let state = machine_floating_point_status()
            return UInt32(state.status & ~state.control & 0x3f)
        }

        static var simd: UInt32 {
            let state = machine_floating_point_status()
            return state.mxcsr & ~(state.mxcsr >> 7) & 0x3f
        }
    }

    enum MachineCheck {
        /// Prints the banks that hold an error (Intel SDM volume 3, 15.3).
        static func report() {
            let banks = UInt32(truncatingIfNeeded: MSR.machineCheckCapabilities.read() & 0xff)
            printk(.emergency, "machine check status 0x\(hex: MSR.machineCheckStatus.read())")
            for bank in 0..<banks {
                guard let status = MSR.machineCheckBankStatus(bank).readIfPresent(), status >> 63 != 0 else {
                    continue
                }
                let address =
                    status >> 58 & 1 != 0 ? MSR.machineCheckBankAddress(bank).readIfPresent() ?? 0 : 0
                printk(.emergency, "bank \(bank): status 0x\(hex: status) address 0x\(hex: address)")
            }
        }
    }
#endif
