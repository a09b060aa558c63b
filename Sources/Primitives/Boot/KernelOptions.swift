// The words of the command line that mean something to the kernel, and what becomes of the others.
//
// As on Linux a word that the kernel does not know goes to init: `name=value` into its environment, a bare
// word onto its arguments, and `module.parameter` words nowhere. Unlike on Linux each is reported. A word
// with a value that makes no sense, or an unknown word of Apus's own (`apus.`), is an error.

public struct KernelOptions: Sendable {
    public enum Failure: Error, Equatable, Sendable {
        /// The word of this name needs a number, or its number is out of range.
        case badValue([UInt8])
        case unknown([UInt8])
    }

    /// `maxcpus=`: how many CPUs to bring up; 0 and `nosmp` mean the boot CPU only.
    public private(set) var maximumCPUs = Int.max
    /// `noapic`: lines come through the 8259s, not through an I/O APIC.
    public private(set) var usesIOAPIC = true
    /// `panic=`: seconds from a panic to the restart; 0 waits for ever, less restarts at once.
    public private(set) var panicTimeout = 0
    /// `init=` or `rdinit=`: the first program, absolute path.
    public private(set) var initPath: [UInt8]?
    /// `console=`: the last one given, without the settings behind the comma.
    public private(set) var console: [UInt8]?
    /// Log levels below this number are shown on the console (`quiet`: 4, `debug`: 8, `loglevel=N`).
    public private(set) var consoleLevel: UInt8 = 7
    /// `apus.test` or `apus.test=PREFIX`: run the in-kernel suites whose names begin with PREFIX, then power off.
    public private(set) var tests: [UInt8]?
    /// `apus.bench=boot`: say how many cycles the boot took just before init starts.
    public private(set) var benchBoot = false
    /// `apus.bench=NAME`: run the in-kernel measurements of that name, then power off.
    public private(set) var bench: [UInt8]?
    /// `apus.crash=NAME`: break the kernel in the way of that name, to test the report.
    public private(set) var crash: [UInt8]?
    /// `x2apic=off` or `nox2apic`: the local APICs' registers stay in memory.
    public private(set) var mayUseX2APIC = true
    /// `apus.deaf=N`: CPU N is not sent its start-up interrupts, to test what becomes of one that does not answer.
    public private(set) var deafCPU: Int?
    /// `apus.irqsoff=MILLISECONDS`: what the debug build's watch calls long for interrupts to be off; 0 is its own idea.
    public private(set) var interruptsOffLimit: UInt64 = 0
    /// Words that go to init, in order.
    public private(set) var initArguments: [[UInt8]] = []
    public private(set) var initEnvironment: [[UInt8]] = []
    /// Words nobody knows, for the report.
    public private(set) var unknown: [[UInt8]] = []

    public init(_ line: CommandLine) throws(Failure) {
        for word in line.words { try take(word) }
        initArguments += line.initArguments
    }

    /// Linux's words that need nothing from Apus: what they ask for is always so, or has no meaning here.
    private static let accepted: [StaticString] = [
        "root", "rootfstype", "rootflags", "ro", "rw", "rootwait", "nolapic", "nohz", "nohpet",
        "notsc",
        "clocksource", "nmi_watchdog", "nowatchdog", "nosoftlockup", "mitigations",
        "nopti", "pti", "nokaslr", "kaslr", "earlyprintk", "earlycon", "acpi", "pci", "reboot", "tsc",
        "nosmap", "nosmep",
        "random.trust_cpu", "random.trust_bootloader", "ignore_loglevel", "printk.time", "no_timer_check",
        "noreplace-smp",
        "BOOT_IMAGE", "initrd", "vga", "i8042.noaux", "virtio_mmio.device",
    ]

    private mutating func take(_ word: CommandLine.Word) throws(Failure) {
        if try takeNumber(word) { return }
        if try takeText(word) { return }
        if try takeOwn(word) { return }
        for name in Self.accepted where matches(word.name, name) { return }
        unknown.append(word.text)
        if word.name.contains(46) { return }
        if word.value != nil { initEnvironment.append(word.text) } else { initArguments.append(word.text) }
    }

    private mutating func takeNumber(_ word: CommandLine.Word) throws(Failure) -> Bool {
        if matches(word.name, "maxcpus") || matches(word.name, "nr_cpus") {
            maximumCPUs = max(Int(try number(word, upTo: 65536)), 1)
        } else if matches(word.name, "panic") {
            let negative = word.value?.first == 45
            guard let value = word.value, let seconds = decimal(negative ? value.dropFirst() : value),
                seconds < 1 << 31
            else { throw .badValue(word.text) }
            panicTimeout = negative ? -Int(seconds) : Int(seconds)
        } else if matches(word.name, "loglevel") {
            consoleLevel = UInt8(try number(word, upTo: 15))
        } else {
            return false
        }
        return true
    }

    private mutating func takeText(_ word: CommandLine.Word) throws(Failure) -> Bool {
        if matches(word.name, "init") || matches(word.name, "rdinit") {
            guard let path = word.value, path.first == 47 else { throw .badValue(word.text) }
            initPath = Array(path)
        } else if matches(word.name, "console") {
            guard let value = word.value, !value.isEmpty else { throw .badValue(word.text) }
            console = Array(value.prefix { $0 != 44 })
        } else if matches(word.text[...], "quiet") {
            consoleLevel = 4
        } else if matches(word.text[...], "debug") {
            consoleLevel = 8
        } else if matches(word.text[...], "noapic") {
            usesIOAPIC = false
        } else if matches(word.text[...], "nosmp") {
            maximumCPUs = 1
        } else if matches(word.name, "x2apic") && word.value != nil || matches(word.text[...], "nox2apic") {
            mayUseX2APIC = try isOn(word)
        } else {
            return false
        }
        return true
    }

    private mutating func takeOwn(_ word: CommandLine.Word) throws(Failure) -> Bool {
        guard hasPrefix(word.name, "apus.") else { return false }
        if matches(word.name, "apus.test") {
            tests = matches(word.value ?? [], "1") ? [] : Array(word.value ?? [])
        } else if matches(word.text[...], "apus.bench=boot") {
            benchBoot = true
        } else if matches(word.name, "apus.bench") {
            bench = Array(word.value ?? [])
        } else if matches(word.name, "apus.crash") {
            crash = Array(word.value ?? [])
        } else if matches(word.name, "apus.deaf") {
            deafCPU = Int(try number(word, upTo: 65535))
        } else if matches(word.name, "apus.irqsoff") {
            interruptsOffLimit = try number(word, upTo: 1_000_000)
        } else if !matches(word.name, "apus.only") {
            // `apus.only=` is read by the test programs from /proc/cmdline.
            throw .unknown(word.text)
        }
        return true
    }

    /// Whether `name=on` (or `name=off`) stands there; `noname` is off.
    private func isOn(_ word: CommandLine.Word) throws(Failure) -> Bool {
        guard let value = word.value else { return false }
        if matches(value, "off") || matches(value, "0") { return false }
        if matches(value, "on") || matches(value, "1") { return true }
        throw .badValue(word.text)
    }

    private func number(_ word: CommandLine.Word, upTo limit: UInt64) throws(Failure) -> UInt64 {
        guard let value = word.value, let number = decimal(value), number <= limit else {
            throw .badValue(word.text)
        }
        return number
    }
}
