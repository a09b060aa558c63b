// Sections in which something must not happen: where interrupts, bottom halves or preemption are off nobody sleeps, and
// interrupts are not off for long.

#if APUS_DEBUG_LOCKS
    import Machine
    import Synchronization

    extension Lockdep {
        /// How long interrupts may be off, in cycles; `.max` until somebody sets it.
        private static let offLimit = Atomic<UInt64>(.max)

        /// Sets for how many cycles interrupts may be off before it is reported; returns the limit before.
        @discardableResult
        public static func setInterruptsOffLimit(_ cycles: UInt64) -> UInt64 {
            offLimit.exchange(cycles, ordering: .relaxed)
        }

        // MARK: Interrupts

        /// Interrupts have just gone off, by an instruction or since one came. Interrupts are off.
        @_semantics("no_performance_analysis") @inline(never)
        public static func interruptsWentOff() {
            watch { state, _ in
                state.offTrace = StackTrace.capture(skipping: 3)
                state.offSince = CycleClock.cycles
            }
        }

        /// Interrupts are about to go on. Interrupts are off.
        @_semantics("no_performance_analysis") @inline(never)
        public static func interruptsGoOn() {
            watch { state, _ in
                let since = state.offSince
                if since == 0 { return }
                state.offSince = 0
                let cycles = CycleClock.cycles &- since
                if cycles > offLimit.load(ordering: .relaxed) {
                    LockReport.offTooLong(
                        cycles, state.offTrace, StackTrace.capture(skipping: 3))
                }
            }
        }

        /// This CPU begins anew: what it was doing with interrupts off is over.
        public static func forgetThisCPU() {
            watch { state, _ in state.offSince = 0 }
        }

        /// Soft IRQs' handlers are about to run on this CPU, or have run.
        @_semantics("no_performance_analysis") @inline(never)
        public static func setInSoftInterrupt(_ inside: Bool) {
            watch { state, _ in state.isInSoftInterrupt = inside }
        }

        /// Preemption or bottom halves have just been turned off by a guard.
        @_semantics("no_performance_analysis") @inline(never)
        static func guardBegan() {
            watch { state, _ in state.guardTrace = StackTrace.capture(skipping: 3) }
        }

        // MARK: Sleeping

        /// To be called by whatever may sleep, whether it will or not: reports that it must not.
        @_semantics("no_performance_analysis") @inline(never)
        public static func mightSleep() {
            watch { state, interruptsWereOn in
                let here = StackTrace.capture(skipping: 3)
                if state.held.count > 0 {
                    LockReport.sleeps(holding: state.held[state.held.count - 1], here)
                } else if PreemptCount.value & ~PreemptCount.noReschedule != 0 {
                    LockReport.sleepsWithPreemptionOff(state.guardTrace, here)
                } else if !interruptsWereOn {
                    LockReport.sleepsWithInterruptsOff(state.offTrace, here)
                }
            }
        }
    }
#endif
