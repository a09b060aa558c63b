// /proc/sys: settings, those that mean something here, with the values they have.

import Machine
import Primitives
import Synchronization

enum ProcSettings {
    static func add(to tree: PseudoTree) {
        addNames(to: tree)
        addKernel(to: tree)
        ProcSchedulerSettings.add(to: tree)
        addRandom(to: tree)
        addMemory(to: tree)
        addFiles(to: tree)
    }

    // MARK: Building blocks

    /// A number that can be read and written within `range`.
    private static func number(
        _ tree: PseudoTree, _ path: StaticString, _ setting: Setting, _ range: ClosedRange<Int>
    ) {
        tree.add(path, 0o644) { bytes, _ throws(Errno) in
            setting.value = try Input.number(bytes, in: range)
        } show: { text, _ in
            text.add("\(setting.value)\n")
        }
    }

    /// A number that cannot be changed.
    private static func constant(_ tree: PseudoTree, _ path: StaticString, _ value: Int) {
        tree.add(path) { text, _ in text.add("\(value)\n") }
    }

    private static func word(_ tree: PseudoTree, _ path: StaticString, _ value: StaticString) {
        tree.add(path) { text, _ in text.add("\(value)\n") }
    }

    // MARK: kernel

    private static func addNames(to tree: PseudoTree) {
        word(tree, "sys/kernel/ostype", "Linux")
        word(tree, "sys/kernel/osrelease", HostNames.release)
        word(tree, "sys/kernel/version", HostNames.version)
        word(tree, "sys/kernel/arch", "x86_64")
        tree.add("sys/kernel/hostname", 0o644) { bytes, _ throws(Errno) in
            let name = try hostName(bytes)
            HostNames.shared.withLock { $0.host = name }
        } show: { text, _ in
            text.add("\(HostNames.shared.withLock { $0.host })\n")
        }
        tree.add("sys/kernel/domainname", 0o644) { bytes, _ throws(Errno) in
            let name = try hostName(bytes)
            HostNames.shared.withLock { $0.domain = name }
        } show: { text, _ in
            text.add("\(HostNames.shared.withLock { $0.domain })\n")
        }
    }

    private static func hostName(_ bytes: Span<UInt8>) throws(Errno) -> [UInt8] {
        let name = Input.copy(Input.trimmed(bytes))
        guard name.count <= HostNames.limit else { throw .invalid }
        return name
    }

    private static func addKernel(to tree: PseudoTree) {
        constant(tree, "sys/kernel/pid_max", PidTable.limit)
        constant(tree, "sys/kernel/threads-max", PidTable.limit)
        constant(tree, "sys/kernel/ngroups_max", Credentials.maximumGroups)
        constant(tree, "sys/kernel/cap_last_cap", CapabilitySet.last)
        constant(tree, "sys/kernel/tainted", 0)
        number(tree, "sys/kernel/panic", .panic, Int(Int32.min)...Int(Int32.max))
        number(tree, "sys/kernel/panic_on_oops", .panicOnOops, 0...1)
        number(tree, "sys/kernel/randomize_va_space", .randomizeAddresses, 0...2)
        number(tree, "sys/kernel/dmesg_restrict", .restrictLog, 0...1)
        number(tree, "sys/kernel/kptr_restrict", .restrictPointers, 0...2)
        number(tree, "sys/kernel/sysrq", .sysrq, 0...511)
        constant(tree, "sys/kernel/overflowuid", 65534)
        constant(tree, "sys/kernel/overflowgid", 65534)
        tree.add("sys/kernel/core_pattern", 0o644) { bytes, _ throws(Errno) in
            let pattern = Input.copy(Input.trimmed(bytes))
            guard pattern.count < 128 else { throw .invalid }
            corePattern.withLock { $0 = pattern }
        } show: { text, _ in
            text.add("\(corePattern.withLock { $0 })\n")
        }
        tree.add("sys/kernel/printk", 0o644) { bytes, _ throws(Errno) in
            try setConsoleLevel(bytes)
        } show: { text, _ in
            // A word, read and written whole.
            text.add("\(unsafe LogHooks.consoleLevel)\t4\t1\t7\n")
        }
    }

    /// Text that names core files; none are written.
    private static let corePattern = SpinLock<[UInt8]>([99, 111, 114, 101])

    private static func setConsoleLevel(_ bytes: Span<UInt8>) throws(Errno) {
        let text = Input.trimmed(bytes)
        var end = 0
        while end < text.count, text[end] > 32 { end += 1 }
        let level = try Input.number(text.extracting(0..<end), in: 1...15)
        // A word, read and written whole.
        unsafe LogHooks.consoleLevel = UInt8(level)
    }

    // MARK: random

    private static let bootIdentifier = UniqueIdentifier.make().bytes

    private static func addRandom(to tree: PseudoTree) {
        tree.add("sys/kernel/random/uuid") { text, _ in text.add("\(UniqueIdentifier.make())\n") }
        tree.add("sys/kernel/random/boot_id") { text, _ in text.add("\(bootIdentifier)\n") }
        constant(tree, "sys/kernel/random/entropy_avail", 256)
        constant(tree, "sys/kernel/random/poolsize", 256)
        constant(tree, "sys/kernel/random/write_wakeup_threshold", 256)
        constant(tree, "sys/kernel/random/urandom_min_reseed_secs", 60)
    }

    // MARK: vm

    private static func addMemory(to tree: PseudoTree) {
        number(tree, "sys/vm/overcommit_memory", .overcommit, 0...2)
        number(tree, "sys/vm/overcommit_ratio", .overcommitRatio, 0...Int(Int32.max))
        number(tree, "sys/vm/swappiness", .swappiness, 0...200)
        number(tree, "sys/vm/panic_on_oom", .panicOnOutOfMemory, 0...2)
        number(tree, "sys/vm/drop_caches", .dropCaches, 1...4)
        constant(tree, "sys/vm/max_map_count", 262_144)
        constant(tree, "sys/vm/mmap_min_addr", 65536)
        constant(tree, "sys/vm/nr_hugepages", 0)
    }

    // MARK: fs

    private static func addFiles(to tree: PseudoTree) {
        number(tree, "sys/fs/file-max", .fileLimit, 0...Int.max)
        constant(tree, "sys/fs/nr_open", DescriptorTable.ceiling)
        number(tree, "sys/fs/pipe-max-size", .pipeLimit, 4096...Int(Int32.max))
        constant(tree, "sys/fs/pipe-user-pages-soft", 16384)
        constant(tree, "sys/fs/pipe-user-pages-hard", 0)
        tree.add("sys/fs/file-nr") { text, _ in
            text.add("\(OpenFiles.count)\t0\t\(Setting.fileLimit.value)\n")
        }
    }
}

/// One number of /proc/sys. Any context; a word.
final class Setting: Sendable {
    private let word: Atomic<Int>

    init(_ value: Int) { word = Atomic(value) }

    var value: Int {
        get { word.load(ordering: .relaxed) }
        set { word.store(newValue, ordering: .relaxed) }
    }

    static let panic = Setting(0)
    static let panicOnOops = Setting(1)
    static let randomizeAddresses = Setting(2)
    static let restrictLog = Setting(0)
    static let restrictPointers = Setting(0)
    static let sysrq = Setting(0)
    static let overcommit = Setting(1)
    static let overcommitRatio = Setting(50)
    static let swappiness = Setting(60)
    static let panicOnOutOfMemory = Setting(0)
    static let dropCaches = Setting(0)
    static let fileLimit = Setting(Int.max)
    static let pipeLimit = Setting(1_048_576)
}

/// A random identifier in its usual form (RFC 4122, version 4).
enum UniqueIdentifier {
    static func make() -> Text {
        var bytes = [UInt8](repeating: 0, count: 16)
        var span = bytes.mutableSpan
        Randomness.fill(&span)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = Text()
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.add(byte: 45) }
            text.add(hex: UInt64(byte), width: 2)
        }
        return text
    }
}
