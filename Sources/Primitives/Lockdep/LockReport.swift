// The debug build's reports about locks: each says what is wrong and shows both places.

#if APUS_DEBUG_LOCKS
    import Machine
    import Synchronization

    public enum LockReport {
        /// Appends the name of the function at an address; set once at boot by who knows them.
        nonisolated(unsafe) public static var appendName:
            (@convention(thin) @Sendable (inout LogMessage, UInt) -> Void)? = nil

        public enum Kind: UInt8, Sendable {
            case cycle, bothOrders, takenTwice, interrupted, interruptedBehind, full
            case sleepsHoldingLock, sleepsWithPreemptionOff, sleepsWithInterruptsOff, interruptsOffTooLong
        }

        /// Reports so far, and how many of them somebody wanted.
        private static let all = Atomic<Int>(0)
        private static let wanted = Atomic<Int>(0)
        /// While somebody provokes reports on purpose: the last one's kind plus one, and how many backtraces with callers in
        /// them it showed.
        private static let isProvoked = Atomic<Bool>(false)
        private static let lastKind = Atomic<UInt8>(0)
        private static let lastTraces = Atomic<Int>(0)

        /// Reports that nobody wanted.
        public static var unexpected: Int {
            all.load(ordering: .acquiring) - wanted.load(ordering: .acquiring)
        }

        /// Runs `body`, which makes a mistake on purpose, in one thread at a time.
        /// - Returns: the last report's kind, nil if there was none, and how many backtraces it showed.
        public static func provoke(_ body: () -> Void) -> (kind: Kind?, traces: Int) {
            lastKind.store(0, ordering: .relaxed)
            lastTraces.store(0, ordering: .relaxed)
            isProvoked.store(true, ordering: .sequentiallyConsistent)
            body()
            isProvoked.store(false, ordering: .sequentiallyConsistent)
            let kind = lastKind.load(ordering: .acquiring)
            return (kind == 0 ? nil : Kind(rawValue: kind - 1), lastTraces.load(ordering: .acquiring))
        }

        @inline(never)
        private static func begin(_ kind: Kind, _ what: LogMessage) {
            all.wrappingAdd(1, ordering: .acquiringAndReleasing)
            if isProvoked.load(ordering: .acquiring) {
                wanted.wrappingAdd(1, ordering: .acquiringAndReleasing)
                lastTraces.store(0, ordering: .relaxed)
                lastKind.store(kind.rawValue + 1, ordering: .releasing)
            }
            printk(.error, "lockdep: CPU \(CPU.index): \(what)")
        }

        @inline(never)
        private static func show(_ title: LogMessage, _ trace: StackTrace) {
            printk(.error, "lockdep: \(title)")
            for index in 0..<trace.count { show(trace[index]) }
            if trace.count > 0 { lastTraces.wrappingAdd(1, ordering: .relaxed) }
        }

        @inline(never)
        private static func show(_ address: UInt) {
            var line: LogMessage = "  "
            if let append = unsafe appendName {
                append(&line, address)
            } else {
                line.append(hex: UInt64(address))
            }
            printk(.error, line)
        }

        @inline(never)
        private static func append(_ number: Int, to line: inout LogMessage) {
            var site = LockSite()
            Lockdep.withGraph { site = $0.site(number) }
            line.append(site.file)
            line.append(byte: 58)
            line.append(decimal: UInt64(site.line))
        }

        @inline(never)
        private static func beginAbout(
            _ kind: Kind, _ before: StaticString, _ number: Int, _ behind: StaticString
        ) {
            var line = LogMessage(stringLiteral: before)
            append(number, to: &line)
            line.append(behind)
            begin(kind, line)
        }

        @inline(never)
        private static func showAbout(
            _ number: Int, _ between: StaticString, _ other: Int?, _ behind: StaticString, _ trace: StackTrace
        ) {
            var line: LogMessage = ""
            append(number, to: &line)
            line.append(between)
            if let other { append(other, to: &line) }
            line.append(behind)
            show(line, trace)
        }

        // MARK: Order

        @inline(never)
        static func full() {
            begin(.full, "no room for more classes or pairs of locks: from here on mistakes may be missed")
        }

        @inline(never)
        static func takenTwice(_ lock: HeldLock, _ first: StackTrace) {
            beginAbout(.takenTwice, "lock ", lock.number, " is taken by its holder")
            show("now", lock.trace)
            show("first", first)
        }

        /// - Parameter held: the class of the lock held while `lock` is taken, where it is the order that is wrong.
        @inline(never)
        static func found(_ finding: LockFinding, _ lock: HeldLock, held: Int?) {
            switch finding.problem {
            case .none: break
            case .cycle: cycle(finding.path, lock, held ?? 0)
            case .bothOrders: bothOrders(finding.number, lock.trace)
            case .interrupted: interrupted(finding.number, finding.usage)
            case .interruptedBehind: interruptedBehind(finding.path, finding.usage)
            case .full: full()
            }
        }

        @inline(never)
        private static func cycle(_ path: LockPath, _ lock: HeldLock, _ held: Int) {
            begin(.cycle, "locks are taken in a circle")
            showAbout(lock.number, " is taken now, while ", held, " is held", lock.trace)
            showEdges(path)
        }

        /// Each step of a path: where it was first gone.
        @inline(never)
        private static func showEdges(_ path: LockPath) {
            for index in 1..<max(path.count, 1) {
                let (from, to) = (path[index - 1], path[index])
                var trace = StackTrace()
                Lockdep.withGraph { trace = $0.trace(from: from, to: to) }
                showAbout(to, " was taken while ", from, " was held", trace)
            }
        }

        @inline(never)
        private static func bothOrders(_ number: Int, _ here: StackTrace) {
            beginAbout(.bothOrders, "two locks of ", number, " are taken in both orders")
            show("now", here)
            var trace = StackTrace()
            Lockdep.withGraph { trace = $0.nestingTrace(number) }
            show("the other way round", trace)
        }

        @inline(never)
        private static func showUsage(_ number: Int, _ usage: LockUsage) {
            var trace = StackTrace()
            Lockdep.withGraph { trace = $0.trace(number, usage) }
            showAbout(number, " is taken ", nil, usage.name, trace)
        }

        @inline(never)
        private static func interrupted(_ number: Int, _ inside: LockUsage) {
            beginAbout(.interrupted, "lock ", number, " can be wanted by who interrupts its holder")
            showUsage(number, inside)
            showUsage(number, inside.opposite)
        }

        @inline(never)
        private static func interruptedBehind(_ path: LockPath, _ inside: LockUsage) {
            begin(
                .interruptedBehind,
                "a lock that an interrupt takes can wait for one whose holder it interrupts")
            guard path.count > 1 else { return }
            showUsage(path[0], inside)
            showEdges(path)
            showUsage(path[path.count - 1], inside.opposite)
        }

        // MARK: Sections

        @inline(never)
        static func sleeps(holding lock: HeldLock, _ here: StackTrace) {
            beginAbout(.sleepsHoldingLock, "what may sleep is called with lock ", lock.number, " held")
            show("here", here)
            show("the lock was taken", lock.trace)
        }

        @inline(never)
        static func sleepsWithPreemptionOff(_ off: StackTrace, _ here: StackTrace) {
            begin(
                .sleepsWithPreemptionOff,
                "what may sleep is called with preemption off, count \(hex: PreemptCount.value)")
            show("here", here)
            show("preemption went off", off)
        }

        @inline(never)
        static func sleepsWithInterruptsOff(_ off: StackTrace, _ here: StackTrace) {
            begin(.sleepsWithInterruptsOff, "what may sleep is called with interrupts off")
            show("here", here)
            show("interrupts went off", off)
        }

        @inline(never)
        static func offTooLong(_ cycles: UInt64, _ off: StackTrace, _ on: StackTrace) {
            begin(.interruptsOffTooLong, "interrupts were off for \(cycles) cycles")
            show("they go on", on)
            show("they went off", off)
        }
    }
#endif
