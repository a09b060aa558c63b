// /proc/PID/status: the same for people.

import Machine
import Memory
import Primitives
import Tasks

enum ProcessStatus {
    static func show(_ subject: ProcessSubject, _ text: inout Text) {
        let relations = ProcessRelations(subject.process)
        addNames(subject, relations, &text)
        addMemory(subject, &text)
        addSignals(subject, &text)
        addRights(subject, &text)
        addPlacement(subject, &text)
    }

    private static func stateName(_ letter: UInt8) -> StaticString {
        switch letter {
        case 82: "R (running)"
        case 83: "S (sleeping)"
        case 68: "D (disk sleep)"
        case 84: "T (stopped)"
        case 116: "t (tracing stop)"
        case 73: "I (idle)"
        case 90: "Z (zombie)"
        default: "X (dead)"
        }
    }

    private static func addNames(
        _ subject: ProcessSubject, _ relations: ProcessRelations, _ text: inout Text
    ) {
        text.add("Name:\t")
        text.add(escaping: subject.name)
        text.add("\n")
        if let task = subject.representative {
            let context = task.lock.withLock { _ in task.fileSystem }
            text.add("Umask:\t\(octal: context.umask, width: 4)\n")
        }
        text.add("State:\t\(stateName(subject.state))\nTgid:\t\(subject.process.identifier)\nNgid:\t0\n")
        text.add("Pid:\t\(subject.identifier)\nPPid:\t\(relations.parent)\nTracerPid:\t0\n")
        let identity = subject.credentials
        text.add("Uid:\t\(identity.userID)\t\(identity.effectiveUserID)\t\(identity.savedUserID)\t")
        text.add("\(identity.fileUserID)\n")
        text.add("Gid:\t\(identity.groupID)\t\(identity.effectiveGroupID)\t\(identity.savedGroupID)\t")
        text.add("\(identity.fileGroupID)\n")
        text.add("FDSize:\t\(subject.descriptorCapacity)\nGroups:\t")
        for group in identity.groups { text.add("\(group) ") }
        text.add("\nNStgid:\t\(subject.process.identifier)\nNSpid:\t\(subject.identifier)\n")
        text.add("NSpgid:\t\(relations.group)\nNSsid:\t\(relations.session)\n")
    }

    private static func addMemory(_ subject: ProcessSubject, _ text: inout Text) {
        guard let memory = subject.memory else { return }
        let usage = memory.usage
        let parts = ProcessMemoryFiles.Parts(memory)
        func line(_ name: StaticString, _ pages: Int) {
            text.add("\(name):\t\(padded: pages * 4, to: 8) kB\n")
        }
        line("VmPeak", usage.peakTotalPages)
        line("VmSize", usage.totalPages)
        line("VmLck", parts.locked)
        line("VmPin", 0)
        line("VmHWM", max(usage.peakResidentPages, usage.residentPages))
        line("VmRSS", usage.residentPages)
        line("RssAnon", usage.anonymousPages)
        line("RssFile", usage.filePages)
        line("RssShmem", usage.sharedMemoryPages)
        line("VmData", parts.data)
        line("VmStk", parts.stack)
        line("VmExe", parts.text)
        line("VmLib", parts.library)
        line("VmPTE", usage.tablePages)
        line("VmSwap", 0)
        line("HugetlbPages", 0)
        text.add("CoreDumping:\t0\nTHP_enabled:\t0\n")
    }

    private static func addSignals(_ subject: ProcessSubject, _ text: inout Text) {
        let sets = ProcessSignalSets(subject)
        text.add("Threads:\t\(subject.process.threadCount)\n")
        text.add("SigQ:\t\(sets.queued)/\(subject.process.limit(.pendingSignals))\n")
        func line(_ name: StaticString, _ set: SignalSet) {
            text.add("\(name):\t\(hex: set.bits, width: 16)\n")
        }
        line("SigPnd", sets.pending)
        line("ShdPnd", sets.shared)
        line("SigBlk", sets.blocked)
        line("SigIgn", sets.ignored)
        line("SigCgt", sets.caught)
    }

    private static func addRights(_ subject: ProcessSubject, _ text: inout Text) {
        let identity = subject.credentials
        func line(_ name: StaticString, _ set: CapabilitySet) {
            text.add("\(name):\t\(hex: set.bits, width: 16)\n")
        }
        line("CapInh", identity.inheritable)
        line("CapPrm", identity.permitted)
        line("CapEff", identity.effective)
        line("CapBnd", identity.bounding)
        line("CapAmb", identity.ambient)
        text.add("NoNewPrivs:\t\(subject.representative?.noNewPrivileges ?? false ? 1 : 0)\n")
        text.add("Seccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tunknown\n")
        text.add("SpeculationIndirectBranch:\tunknown\n")
    }

    private static func addPlacement(_ subject: ProcessSubject, _ text: inout Text) {
        guard let thread = subject.representative?.thread else { return }
        let mask = thread.affinity
        let count = CPUs.count
        text.add("Cpus_allowed:\t")
        text.add(mask: { mask.contains($0) }, below: count)
        text.add("\nCpus_allowed_list:\t")
        text.add(list: { mask.contains($0) }, below: count)
        text.add("\nMems_allowed:\t1\nMems_allowed_list:\t0\n")
        text.add("voluntary_ctxt_switches:\t\(thread.voluntarySwitches)\n")
        text.add("nonvoluntary_ctxt_switches:\t\(thread.involuntarySwitches)\n")
    }
}

extension ProcessSubject {
    /// Descriptors there is room for, in steps of 64.
    fileprivate var descriptorCapacity: Int {
        guard let task = representative else { return 0 }
        let files = task.lock.withLock { _ in task.files }
        var last: Int32 = -1
        var next: Int32 = 0
        while let (descriptor, _) = files.next(from: next) {
            last = descriptor
            next = descriptor + 1
        }
        return max((Int(last) + 64) / 64 * 64, 64)
    }
}
