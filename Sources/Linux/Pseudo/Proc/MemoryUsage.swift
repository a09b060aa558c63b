// What the machine's memory is used for, in frames.

import Memory
import Primitives

struct MemoryUsage {
    var total = 0
    var free = 0
    /// What a new program could get without anything being thrown out.
    var available = 0
    /// Pages of RAM file systems: what stands for a page cache here.
    var cached = 0
    /// Pages of shared memory, which is part of that.
    var shared = 0
    var anonymous = 0
    /// Pages of files that are mapped, counted once for each mapping.
    var mapped = 0
    var pageTables = 0
    var heap = 0
    var stacks = 0

    /// Now. Linear in processes and mounts.
    static func now(_ task: borrowing TaskContext) -> MemoryUsage {
        var usage = MemoryUsage()
        usage.total = Frames.totalCount
        usage.free = Frames.freeCount
        usage.available = usage.free
        usage.heap = KernelHeap.byteCount / 4096
        usage.addProcesses()
        usage.addFileSystems(task)
        return usage
    }

    private mutating func addProcesses() {
        var next: Int32 = 1
        while let process = ProcessTable.nextProcess(from: next) {
            next = process.identifier + 1
            stacks += process.threadCount * Int(KernelStack.size / 4096)
            guard !process.sharesAddressSpace, let memory = process.addressSpace else { continue }
            let one = memory.usage
            anonymous += one.anonymousPages
            mapped += one.filePages + one.sharedMemoryPages
            pageTables += one.tablePages
        }
    }

    private mutating func addFileSystems(_ task: borrowing TaskContext) {
        var seen: [ObjectIdentifier] = []
        for mount in MountTable.all where !seen.contains(ObjectIdentifier(mount.fileSystem)) {
            seen.append(ObjectIdentifier(mount.fileSystem))
            do throws(Errno) {
                let statistics = try mount.fileSystem.statistics(task)
                guard statistics.magic == RAMFileSystem.magic else { continue }
                cached += Int(truncatingIfNeeded: statistics.blocks &- statistics.freeBlocks)
            } catch {
                // A file system without numbers has no pages here.
            }
        }
        shared = cached
    }
}
