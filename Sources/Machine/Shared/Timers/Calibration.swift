// How fast the time stamp counter and the local APIC timer run: as the processor or hypervisor says, or
// measured against a clock of known rate. Every measurement has an end, also where that clock stands
// still.

/// The rates of this machine's clocks.
public struct Calibration: Sendable {
    public enum Source: Sendable {
        /// CPUID leaf 0x15, the ratio to the crystal.
        case crystal
        /// CPUID leaf 0x40000010, the hypervisor's word.
        case hypervisor
        case hpet, pmTimer, pit
        /// Nothing to measure with: assumed.
        case guess

        public var name: StaticString {
            switch self {
            case .crystal: "CPUID crystal ratio"
            case .hypervisor: "hypervisor"
            case .hpet: "HPET"
            case .pmTimer: "ACPI PM timer"
            case .pit: "PIT"
            case .guess: "nothing (guessed)"
            }
        }
    }

    /// Ticks of the TSC per second.
    public var tscHz: UInt64
    /// Ticks per second of the local APIC timer's count, with its divisor of 16.
    public var apicTimerHz: UInt64
    public var source: Source

    public init(tscHz: UInt64, apicTimerHz: UInt64, source: Source) {
        self.tscHz = tscHz
        self.apicTimerHz = apicTimerHz
        self.source = source
    }

    /// What was found at boot; a guess before. Written by the boot CPU before others run.
    nonisolated(unsafe) public static var result = Calibration(
        tscHz: 1_000_000_000, apicTimerHz: 62_500_000, source: .guess)

    /// How long a measurement takes, in microseconds, after a first while in which the devices, or their
    /// emulator, are still busy with having been started.
    static let window: UInt64 = 9_000
    static let settling: UInt64 = 1_000

    /// Finds the rates, and sets `result` and `Delay`'s. The boot CPU, once, with its local APIC on and interrupts off;
    /// takes 10 ms where nothing says the rates.
    public static func run(hpet: HPET?, pmTimer: PMTimer?) -> Calibration {
        let found = unsafe said() ?? measured(hpet, pmTimer) ?? result
        unsafe result = found
        unsafe Delay.cyclesPerMicrosecond = max(found.tscHz / 1_000_000, 1)
        return found
    }

    /// What CPUID says, where it says both rates.
    static func said() -> Calibration? {
        let features = CPUID.readFeatures()
        if features.hasHypervisor {
            let timing = CPUID.leafIfPresent(0x4000_0010)
            if timing.eax != 0, timing.ebx != 0 {
                return Calibration(
                    tscHz: UInt64(timing.eax) * 1000,
                    apicTimerHz: UInt64(timing.ebx) * 1000 / LocalAPICTimer.divisor,
                    source: .hypervisor)
            }
        }
        let ratio = CPUID.leafIfPresent(0x15)
        guard ratio.eax != 0, ratio.ebx != 0, ratio.ecx != 0 else { return nil }
        // The local APIC timer counts the crystal (Intel SDM volume 3, 10.5.4).
        return Calibration(
            tscHz: UInt64(ratio.ecx) * UInt64(ratio.ebx) / UInt64(ratio.eax),
            apicTimerHz: UInt64(ratio.ecx) / LocalAPICTimer.divisor, source: .crystal)
    }

    private static func measured(_ hpet: HPET?, _ pmTimer: PMTimer?) -> Calibration? {
        if let hpet, let found = measure(HPETClock(hpet), .hpet) { return found }
        if let pmTimer, let found = measure(PMTimerClock(pmTimer), .pmTimer) { return found }
        return measure(PITClock(), .pit)
    }

    /// One look at all three clocks.
    private struct Sample {
        var reference: UInt64
        var tsc: UInt64
        var apic: UInt32
        /// Cycles that the look at the others took.
        var width: UInt64
    }

    /// Measures against `clock`; nil when it stands still or the result cannot be.
    static func measure(_ clock: some ReferenceClock, _ source: Source) -> Calibration? {
        clock.start()
        defer { clock.stop() }
        LocalAPICTimer.startCounting()
        defer { LocalAPICTimer.stop() }
        guard wait(clock, microseconds: settling) else { return nil }
        let first = sample(clock)
        guard wait(clock, microseconds: window) else { return nil }
        let last = sample(clock)
        let ticks = (last.reference &- first.reference) & clock.mask
        guard ticks > 0 else { return nil }
        let result = Calibration(
            tscHz: rate(last.tsc &- first.tsc, clock.frequency, ticks),
            apicTimerHz: rate(UInt64(first.apic &- last.apic), clock.frequency, ticks), source: source)
        // Ten megahertz to a terahertz; a timer that counts at all.
        guard result.tscHz > 10_000_000, result.tscHz < 1_000_000_000_000, result.apicTimerHz > 10_000 else {
            return nil
        }
        return result
    }

    private static func rate(_ count: UInt64, _ frequency: UInt64, _ ticks: UInt64) -> UInt64 {
        // 10 ms of the fastest counts times the fastest clock's rate is far below 64 bits.
        let (product, overflow) = count.multipliedReportingOverflow(by: frequency)
        return overflow ? 0 : product / ticks
    }

    /// The best of several looks: the one that was least disturbed.
    private static func sample(_ clock: some ReferenceClock) -> Sample {
        var best = look(clock)
        for _ in 0..<8 {
            let next = look(clock)
            if next.width < best.width { best = next }
        }
        return best
    }

    private static func look(_ clock: some ReferenceClock) -> Sample {
        let before = TSC.readOrdered()
        let reference = clock.read()
        let apic = LocalAPICTimer.remaining
        let after = TSC.readOrdered()
        let width = after &- before
        return Sample(reference: reference, tsc: before &+ width / 2, apic: apic, width: width)
    }

    /// Waits until `clock` has advanced by so much; false when it stands still.
    private static func wait(_ clock: some ReferenceClock, microseconds: UInt64) -> Bool {
        let start = clock.read()
        let ticks = clock.frequency * microseconds / 1_000_000
        var last: UInt64 = 0
        var turnsWithoutProgress = 0
        // The slowest real clock advances every microsecond, and a look takes no less than 1 ns.
        while turnsWithoutProgress < 100_000 {
            let passed = (clock.read() &- start) & clock.mask
            if passed >= ticks { return true }
            turnsWithoutProgress = passed == last ? turnsWithoutProgress + 1 : 0
            last = passed
            Spin.pause()
        }
        return false
    }
}
