// The debug build's watch over locks, once there are a heap and a clock.

#if APUS_DEBUG_LOCKS
    import Interrupts
    import Machine
    import Primitives

    enum LockWatch {
        /// How long interrupts may be off, in milliseconds, unless the command line says so. An emulated CPU whose host is
        /// busy stands still for longer.
        private static let interruptsOffLimit: UInt64 = 5

        /// Boot CPU, before the others run.
        static func start(_ options: KernelOptions) {
            unsafe LockReport.appendName = { @Sendable line, address in LockWatch.append(address, to: &line) }
            let limit = options.interruptsOffLimit == 0 ? interruptsOffLimit : options.interruptsOffLimit
            Lockdep.setInterruptsOffLimit(CycleClock.cycles(nanoseconds: limit * 1_000_000))
            Lockdep.start(cpuCount: CPUs.count)
            printk(.info, "lockdep: locks are watched")
        }

        @inline(never)
        private static func append(_ address: UInt, to line: inout LogMessage) {
            let name = KernelNames.name(address)
            for index in 0..<name.count { line.append(byte: name[index]) }
        }
    }
#endif
