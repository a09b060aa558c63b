// A machine of several CPUs with user programs' memory: page faults and TLB shootdowns work as in the kernel.

import Machine
import Primitives
import Synchronization
import Testing

@testable import Memory
@_spi(ContextEntry) import Primitives

/// CPUs that share RAM, played in turn by the thread of the test.
final class TestMachine {
    let cpus: [SimulatedCPU]

    init(cpus count: Int = 1, bytes: Int = 64 << 20) {
        let memory = SimulatedMemory(byteCount: bytes)
        cpus = (0..<count).map { SimulatedCPU(index: $0, memory: memory) }
        cpus[0].bind()
        Frames.initialize(
            usable: [PhysicalRange(start: 0, end: UInt64(bytes))],
            reserved: [PhysicalRange(start: 0, end: 2 << 20)])
        KernelPageTable.initialize(root: Frames.allocateZeroed()!.address)
        for cpu in cpus {
            cpu.bind()
            // Each of these CPUs has a machine of its own, as far as hooks go.
            TLBHooks.shootdown = { request, word0, _, _, _ in
                TestMachines.current?.shootdown(request, word0)
            }
            UserAccess.pageFault = { address, write in
                AddressSpace.handleCurrentFault(
                    at: VirtualAddress(address), access: write ? .write : .read, TaskContext()) == .resolved
            }
        }
        cpus[0].bind()
        TestMachines.current = self
    }

    /// What the CrossCPU room does with interrupts: the CPUs asked do it one after the other.
    private func shootdown(_ request: UInt, _ mask: UInt64) {
        let me = CPU.index
        for cpu in cpus where mask & (1 << UInt64(cpu.index)) != 0 {
            precondition(cpu.index != me)
            on(cpu.index) {
                withInterruptsOff { TLBRequest.answer(request, $0) }
            }
        }
        cpus[me].bind()
    }

    /// Runs `body` on CPU `index`.
    func on<R>(_ index: Int, _ body: () throws -> R) rethrows -> R {
        let me = CPU.index
        cpus[index].bind()
        defer { cpus[me].bind() }
        return try body()
    }

    /// Frames free once all caches are empty.
    func settledFreeFrames() -> Int {
        for cpu in cpus {
            on(cpu.index) {
                KernelHeap.drainThisCPU()
                Frames.drainThisCPU()
            }
        }
        return Frames.freeCount
    }
}

/// The machine of the test that runs on this thread.
enum TestMachines {
    private static let all = Mutex<[ObjectIdentifier: Weak]>([:])

    struct Weak: @unchecked Sendable {
        weak var machine: TestMachine?
    }

    static var current: TestMachine? {
        get { all.withLock { $0[ObjectIdentifier(SimulatedMemory.current)]?.machine } }
        set { all.withLock { $0[ObjectIdentifier(SimulatedMemory.current)] = Weak(machine: newValue) } }
    }
}

extension AddressSpace {
    /// Loads the address space on this CPU.
    func use() { withInterruptsOff { activate($0) } }

    static func useNone() { withInterruptsOff { leave($0) } }

    /// What the program reads at `address`; nil for a fault.
    func peek(_ address: UInt) -> UInt64? {
        use()
        return try? UserPointer<UInt64>(address).load(TaskContext())
    }

    /// Whether the program can write at `address`.
    func poke(_ address: UInt, _ value: UInt64) -> Bool {
        use()
        return (try? UserPointer<UInt64>(address).store(value, TaskContext())) != nil
    }

    func map(
        at address: UInt? = nil, pages: Int, _ protection: Protection = [.read, .write],
        _ flags: RegionFlags = [], object: MemoryObject? = nil, offset: Int = 0
    ) throws(Errno) -> UInt {
        var request = MappingRequest(length: UInt(pages) * pageSize, protection: protection)
        if let address {
            request.hint = address
            request.placement = .fixed
        }
        request.flags = flags
        request.object = object
        request.pageOffset = offset
        return try map(request, TaskContext())
    }

    /// Checks what must hold between regions, page table and counters.
    func checkInvariants(_ comment: Comment = "") {
        state.withLock { state in
            var usage = AddressSpaceUsage()
            var previous: UInt = 0
            var each = unsafe state.regions.first
            while let node = unsafe each {
                let start = unsafe node.pointee.start
                let end = unsafe node.pointee.end
                #expect(start >= previous && start < end, comment)
                usage.totalPages += Int((end - start) / pageSize)
                previous = end
                let shared = unsafe node.pointee.isShared
                let protection = unsafe node.pointee.attributes.protection
                unsafe state.table.forEachLeaf(start, end) { _, slot, count in
                    for index in 0..<count {
                        let entry = unsafe slot[index]
                        guard entry.value != 0 else { continue }
                        let isOwn =
                            entry.contains(.anonymous)
                            && Frames.count(of: Frame(containing: entry.address)) == 1
                        if entry.isWritable {
                            #expect(protection.contains(.write) && (shared || isOwn), comment)
                        }
                        #expect(entry.isPresent == !protection.isEmpty, comment)
                        #expect(entry.contains(.noExecute) == !protection.contains(.execute), comment)
                        if entry.contains(.special) { continue }
                        if entry.contains(.anonymous) {
                            usage.anonymousPages += 1
                        } else if unsafe node.pointee.object!.isSharedMemory {
                            usage.sharedMemoryPages += 1
                        } else {
                            usage.filePages += 1
                        }
                    }
                }
                unsafe each = node.pointee.next
            }
            #expect(usage.totalPages == state.usage.totalPages, comment)
            #expect(usage.anonymousPages == state.usage.anonymousPages, comment)
            #expect(usage.filePages == state.usage.filePages, comment)
            #expect(usage.sharedMemoryPages == state.usage.sharedMemoryPages, comment)
        }
    }
}
