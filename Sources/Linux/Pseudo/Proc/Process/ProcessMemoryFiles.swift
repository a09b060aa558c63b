// /proc/PID/statm, oom_score and its adjustment.

import Machine
import Memory
import Primitives

enum ProcessMemoryFiles {
    /// Pages of an address space by use.
    struct Parts {
        var text = 0
        var library = 0
        var data = 0
        var stack = 0
        var locked = 0

        init(_ memory: AddressSpace) {
            var hasSeenProgram = false
            memory.forEachRegion { region in
                let pages = Int(region.byteCount / pageSize)
                if region.flags.contains(.locked) { locked += pages }
                if region.kind == .stack {
                    stack += pages
                } else if region.protection.contains(.execute), region.object != nil {
                    // The lowest executable mapping is the program's, the others are libraries'.
                    if hasSeenProgram { library += pages } else { text += pages }
                    hasSeenProgram = true
                } else if region.protection.contains(.write), !region.isShared {
                    data += pages
                }
            }
        }
    }

    /// size resident shared text lib data dt
    static func showPages(_ subject: ProcessSubject, _ text: inout Text) {
        guard let memory = subject.memory else { return text.add("0 0 0 0 0 0 0\n") }
        let usage = memory.usage
        let parts = Parts(memory)
        text.add("\(usage.totalPages) \(usage.residentPages) \(usage.filePages + usage.sharedMemoryPages) ")
        text.add("\(parts.text) 0 \(parts.data + parts.stack) 0\n")
    }

    /// Thousandths of the memory that it has, as the choice of a victim sees it.
    static func outOfMemoryScore(_ subject: ProcessSubject) -> Int {
        guard let memory = subject.memory else { return 0 }
        let usage = memory.usage
        let points = (usage.residentPages + usage.tablePages) * 1000 / max(Frames.totalCount, 1)
        return min(max(points + adjustment(subject), 0), 2000)
    }

    static func adjustment(_ subject: ProcessSubject) -> Int { subject.process.oomScoreAdjustment }

    /// Making a process a less likely victim is for the superuser.
    static func setAdjustment(_ subject: ProcessSubject, _ value: Int) throws(Errno) {
        let credentials = Caller.credentials
        if value < subject.process.oomScoreAdjustment, !credentials.has(.resource) { throw .accessDenied }
        subject.process.oomScoreAdjustment = value
    }
}
