// /proc/PID/maps and smaps: the regions of a process's memory.

import Machine
import Memory
import Primitives

enum ProcessMaps {
    /// Adds the next regions from address `cursor` on; false when there are no more.
    static func showNext(
        _ subject: ProcessSubject, _ cursor: inout UInt, _ text: inout Text, detailed: Bool
    ) -> Bool {
        guard let memory = subject.memory else { return false }
        let regions = memory.regions(from: cursor, limit: detailed ? 8 : 64)
        for region in regions where region.start >= cursor {
            addLine(region, subject, &text)
            if detailed { addDetails(region, memory, &text) }
        }
        guard let last = regions.last else { return false }
        cursor = last.end
        return true
    }

    private static func addLine(_ region: Region, _ subject: ProcessSubject, _ text: inout Text) {
        let start = text.count
        text.add("\(hex: region.start, width: 8)-\(hex: region.end, width: 8) ")
        text.add(byte: region.protection.contains(.read) ? 114 : 45)
        text.add(byte: region.protection.contains(.write) ? 119 : 45)
        text.add(byte: region.protection.contains(.execute) ? 120 : 45)
        text.add(byte: region.isShared ? 115 : 112)
        let offset = region.object == nil ? 0 : UInt64(region.pageOffset) * UInt64(pageSize)
        text.add(" \(hex: offset, width: 8) ")
        let device = region.object?.deviceNumber ?? 0
        text.add("\(hex: device >> 8 & 0xfff, width: 2):\(hex: device & 0xff, width: 2) ")
        text.add("\(region.object?.inodeNumber ?? 0) ")
        let name = name(of: region)
        if !name.isEmpty {
            text.pad(from: start, to: 73)
            text.add(name)
        }
        text.add("\n")
    }

    private static func name(of region: Region) -> [UInt8] {
        if let object = region.object, !object.mappingName.isEmpty { return object.mappingName }
        switch region.kind {
        case .heap: return Text("[heap]").bytes
        case .stack: return Text("[stack]").bytes
        case .vdso: return Text("[vdso]").bytes
        case .vvar: return Text("[vvar]").bytes
        case .ordinary: return []
        }
    }

    private static func addDetails(_ region: Region, _ memory: AddressSpace, _ text: inout Text) {
        let resident = residentPages(region, memory)
        func line(_ name: StaticString, _ kibibytes: Int) {
            let start = text.count
            text.add("\(name):")
            text.pad(from: start, to: 16)
            text.add("\(padded: kibibytes, to: 8) kB\n")
        }
        let isFile = region.object != nil
        line("Size", Int(region.byteCount >> 10))
        line("KernelPageSize", 4)
        line("MMUPageSize", 4)
        line("Rss", resident * 4)
        line("Pss", resident * 4)
        line("Pss_Dirty", isFile ? 0 : resident * 4)
        line("Shared_Clean", region.isShared ? resident * 4 : 0)
        line("Shared_Dirty", 0)
        line("Private_Clean", !region.isShared && isFile ? resident * 4 : 0)
        line("Private_Dirty", !region.isShared && !isFile ? resident * 4 : 0)
        line("Referenced", resident * 4)
        line("Anonymous", isFile ? 0 : resident * 4)
        line("LazyFree", 0)
        line("AnonHugePages", 0)
        line("ShmemPmdMapped", 0)
        line("FilePmdMapped", 0)
        line("Shared_Hugetlb", 0)
        line("Private_Hugetlb", 0)
        line("Swap", 0)
        line("SwapPss", 0)
        line("Locked", region.flags.contains(.locked) ? resident * 4 : 0)
        text.add("THPeligible:    0\nVmFlags:")
        if region.protection.contains(.read) { text.add(" rd") }
        if region.protection.contains(.write) { text.add(" wr") }
        if region.protection.contains(.execute) { text.add(" ex") }
        if region.isShared { text.add(" sh") }
        text.add(" mr mw me")
        if region.flags.contains(.growsDown) { text.add(" gd") }
        if region.flags.contains(.locked) { text.add(" lo") }
        if region.flags.contains(.notForked) { text.add(" dc") }
        if region.flags.contains(.notDumped) { text.add(" dd") }
        if region.flags.contains(.wipedOnFork) { text.add(" wf") }
        text.add(" \n")
    }

    /// Pages of the region that are there, counted some thousand at a time.
    private static func residentPages(_ region: Region, _ memory: AddressSpace) -> Int {
        var total = 0
        var start = region.start
        while start < region.end {
            let pages = min(Int((region.end - start) / pageSize), 4096)
            for isThere in memory.residency(start, count: pages) where isThere { total += 1 }
            start += UInt(pages) * pageSize
        }
        return total
    }
}
