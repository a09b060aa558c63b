// The debug build's watch over locks: the order in which they are taken, who takes them in interrupts, who sleeps where
// nobody may, and how long interrupts are off. Built in by `./apus build --debug-locks` (APUS_DEBUG_LOCKS) and by nothing
// else. Each mistake is reported once, with the backtraces of both places that do not go together.
//
// Each CPU's state belongs to that CPU, with interrupts off; the graph to whoever holds `graphOwner`. Inside, the watch does
// not watch itself: what it calls (the log) may take locks.

#if APUS_DEBUG_LOCKS
    import Machine
    import Synchronization

    public enum Lockdep {
        struct CPUState: ~Copyable {
            var isInSoftInterrupt = false
            var held = HeldLocks()
            /// When and where interrupts went off; 0 while they are on.
            var offSince: UInt64 = 0
            var offTrace = StackTrace()
            /// Where preemption went off last, if by a guard.
            var guardTrace = StackTrace()
        }

        private struct CPUWatch: ~Copyable {
            /// The watch itself runs: locks that it takes are not looked at.
            var isBusy = false
            var state = CPUState()
        }

        // Made before `isOn` is set, and never freed.
        nonisolated(unsafe) private static var cpus: UnsafeMutablePointer<CPUWatch>? = nil
        nonisolated(unsafe) private static var graph: UnsafeMutablePointer<LockGraph>? = nil
        private static let isOn = Atomic<Bool>(false)
        /// CPU that uses the graph plus one, 0 for none.
        private static let graphOwner = Atomic<UInt32>(0)

        /// Begins the watch. Boot, once there is a heap.
        public static func start(cpuCount: Int) {
            let pointer = UnsafeMutablePointer<CPUWatch>.allocate(capacity: cpuCount)
            for cpu in 0..<cpuCount { unsafe (pointer + cpu).initialize(to: CPUWatch()) }
            let graph = UnsafeMutablePointer<LockGraph>.allocate(capacity: 1)
            unsafe graph.initialize(to: LockGraph())
            unsafe Self.cpus = pointer
            unsafe Self.graph = graph
            unsafe InterruptFlagHooks.wentOff = { Lockdep.interruptsWentOff() }
            unsafe InterruptFlagHooks.goesOn = { Lockdep.interruptsGoOn() }
            isOn.store(true, ordering: .releasing)
        }

        // MARK: Entering the watch

        /// Runs `body` with this CPU's state, interrupts off and the watch itself unwatched; not at all before the watch
        /// began, inside itself, and in an NMI.
        static func watch(_ body: (inout CPUState, _ interruptsWereOn: Bool) -> Void) {
            guard isOn.load(ordering: .acquiring), PreemptCount.value & PreemptCount.nmiMask == 0 else {
                return
            }
            let wereEnabled = InterruptFlag.isEnabled
            InterruptFlag.disableUnwatched()
            // One state for each CPU, which is this CPU's own while interrupts are off.
            if let own = unsafe cpus?.advanced(by: CPU.index), unsafe !own.pointee.isBusy {
                unsafe own.pointee.isBusy = true
                unsafe body(&own.pointee.state, wereEnabled)
                unsafe own.pointee.isBusy = false
            }
            if wereEnabled { InterruptFlag.enableUnwatched() }
        }

        /// Runs `body` with the graph; others wait. Inside `watch`. Not generic: the compiler does badly with closures that return
        /// large values.
        static func withGraph(_ body: (inout LockGraph) -> Void) {
            let me = UInt32(truncatingIfNeeded: CPU.index) &+ 1
            while !graphOwner.compareExchange(expected: 0, desired: me, ordering: .acquiring).exchanged {
                Spin.pause()
            }
            defer { graphOwner.store(0, ordering: .releasing) }
            // Made before the watch began.
            unsafe body(&graph.unsafelyUnwrapped.pointee)
        }

        /// In which kind of context this CPU is.
        static func context(_ state: borrowing CPUState) -> LockContext {
            if PreemptCount.inHardInterrupt { return .hardInterrupt }
            return state.isInSoftInterrupt ? .softInterrupt : .task
        }

        // MARK: Locks

        /// A lock is about to be taken. Any context.
        @_semantics("no_performance_analysis") @inline(never)
        static func willTake(_ identity: borrowing LockIdentity, at address: UInt, isOrdered: Bool) {
            take(identity, address, mayWait: true, isOrdered: isOrdered)
        }

        /// A lock was free and has been taken: that waits for nobody, so it can complete no cycle.
        @_semantics("no_performance_analysis") @inline(never)
        static func tookFree(_ identity: borrowing LockIdentity, at address: UInt) {
            take(identity, address, mayWait: false, isOrdered: false)
        }

        @inline(never)
        private static func take(
            _ identity: borrowing LockIdentity, _ address: UInt, mayWait: Bool, isOrdered: Bool
        ) {
            guard isOn.load(ordering: .relaxed) else { return }
            let cached = identity.number.load(ordering: .relaxed)
            let site = identity.site
            var learned = cached
            watch { state, interruptsWereOn in
                if learned == 0 { learned = number(of: site) }
                guard learned != 0 else { return }
                let lock = HeldLock(
                    number: Int(learned) - 1, address: address, context: context(state),
                    trace: StackTrace.capture(skipping: 4))
                look(
                    &state, lock, usage(lock.context, interruptsWereOn, mayWait: mayWait), mayWait: mayWait,
                    isOrdered)
                state.held.push(lock)
            }
            if cached == 0, learned != 0 { identity.number.store(learned, ordering: .relaxed) }
        }

        /// A lock is about to be let go.
        @_semantics("no_performance_analysis") @inline(never)
        static func willRelease(at address: UInt) {
            watch { state, _ in state.held.remove(address: address) }
        }

        /// The class's number plus one, 0 when there is no room.
        @inline(never)
        private static func number(of site: LockSite) -> UInt16 {
            var finding = LockFinding()
            var number = -1
            withGraph { graph in
                number = graph.number(of: site) ?? -1
                if number < 0 { graph.noRoom(&finding) }
            }
            if finding.problem == .full { LockReport.full() }
            return UInt16(truncatingIfNeeded: number + 1)
        }

        /// What taking a lock here says about its class. One taken only if free delays nobody in an interrupt.
        private static func usage(_ context: LockContext, _ interruptsOn: Bool, mayWait: Bool) -> LockUsage {
            var usage: LockUsage = []
            if context == .hardInterrupt, mayWait { usage.insert(.inHardInterrupt) }
            if context == .softInterrupt, mayWait { usage.insert(.inSoftInterrupt) }
            if interruptsOn { usage.insert(.hardInterruptsOn) }
            if interruptsOn, PreemptCount.value & PreemptCount.interruptMask == 0 {
                usage.insert(.softInterruptsOn)
            }
            return usage
        }

        /// Compares what is taken now with all that has been seen.
        @inline(never)
        private static func look(
            _ state: inout CPUState, _ lock: HeldLock, _ usage: LockUsage, mayWait: Bool, _ isOrdered: Bool
        ) {
            var finding = LockFinding()
            withGraph { $0.use(lock.number, usage, lock.trace, &finding) }
            if finding.problem != .none { LockReport.found(finding, lock, held: nil) }
            guard mayWait else { return }
            for index in 0..<state.held.count {
                let address = state.held[index].address
                if address == lock.address {
                    LockReport.takenTwice(lock, state.held[index].trace)
                } else if isOrdered, state.held[index].number == lock.number {
                    continue
                } else if state.held[index].context == lock.context {
                    order(state.held[index].number, address, lock)
                }
            }
        }

        @inline(never)
        private static func order(_ held: Int, _ heldAddress: UInt, _ lock: HeldLock) {
            var finding = LockFinding()
            withGraph { graph in
                if held == lock.number {
                    graph.nest(lock.number, upwards: lock.address > heldAddress, lock.trace, &finding)
                } else {
                    graph.addEdge(from: held, to: lock.number, lock.trace, &finding)
                }
            }
            if finding.problem != .none { LockReport.found(finding, lock, held: held) }
        }
    }
#endif
