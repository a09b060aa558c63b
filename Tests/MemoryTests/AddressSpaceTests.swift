// What system calls on memory must do, one by one.

import Machine
import Primitives
import Testing

@testable import Memory
@_spi(ContextEntry) import Primitives

@Suite struct AddressSpaceTests {
    private func error(_ body: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) { try body() } catch { return error }
        return nil
    }

    @Test func readingMapsTheZeroPageAndWritingAFrame() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        let start = try space.map(pages: 4)
        #expect(space.peek(start) == 0)
        #expect(space.usage.residentPages == 0)
        let free = Frames.freeCount
        #expect(space.poke(start, 7))
        #expect(space.poke(start + 8, 8))
        #expect(Frames.freeCount == free - 1)
        #expect(space.usage.anonymousPages == 1)
        #expect(space.peek(start) == 7)
        AddressSpace.useNone()
        _ = machine
    }

    @Test func addressesAreChosenDownwardsAndHintsHonoured() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        space.setMapTop(0x3000_0000_0000)
        let first = try space.map(pages: 2)
        #expect(first == 0x3000_0000_0000 - 2 * pageSize)
        let second = try space.map(pages: 1, .read)
        #expect(second == first - pageSize)
        var request = MappingRequest(length: 100, protection: .read)
        request.hint = 0x1234_5678
        #expect(try space.map(request, TaskContext()) == 0x1234_6000)
        // Taken: somewhere else.
        #expect(try space.map(request, TaskContext()) != 0x1234_6000)
        request.placement = .fixedIfFree
        request.hint = 0x1234_6000
        #expect(error { () throws(Errno) in _ = try space.map(request, TaskContext()) } == .exists)
        request.hint = 0x1000
        #expect(error { () throws(Errno) in _ = try space.map(request, TaskContext()) } == .notPermitted)
        request.hint = AddressSpace.highest
        #expect(error { () throws(Errno) in _ = try space.map(request, TaskContext()) } == .noMemory)
        request.hint = 0x12_3001
        #expect(error { () throws(Errno) in _ = try space.map(request, TaskContext()) } == .invalid)
        request.length = 0
        #expect(error { () throws(Errno) in _ = try space.map(request, TaskContext()) } == .invalid)
        request.length = .max
        #expect(error { () throws(Errno) in _ = try space.map(request, TaskContext()) } == .noMemory)
        _ = machine
    }

    @Test func neighboursThatAgreeAreOneRegion() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        for page in [3, 1, 2, 0] as [UInt] { _ = try space.map(at: 0x10_0000 + page * pageSize, pages: 1) }
        #expect(space.regionCount == 1)
        try space.protect(0x10_1000, length: pageSize, .read)
        #expect(space.regionCount == 3)
        try space.protect(0x10_1000, length: pageSize, [.read, .write])
        #expect(space.regionCount == 1)
        try space.unmap(0x10_2000, length: 1)
        #expect(space.regions().map { $0.byteCount } == [8192, 4096])
        let object = PagedObject(pageCount: 10)
        _ = try space.map(at: 0x20_0000, pages: 2, .read, .shared, object: object, offset: 3)
        _ = try space.map(at: 0x20_2000, pages: 2, .read, .shared, object: object, offset: 5)
        _ = try space.map(at: 0x20_4000, pages: 2, .read, .shared, object: object, offset: 5)
        #expect(space.regions(from: 0x20_0000).map { $0.byteCount } == [16384, 8192])
        _ = machine
    }

    @Test func rightsAreKept() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        let start = try space.map(pages: 1, .read)
        #expect(!space.poke(start, 1))
        #expect(fault(space, start, .execute) == .signal(number: 11, code: 2))
        #expect(fault(space, start + pageSize, .read) == .signal(number: 11, code: 1))
        #expect(fault(space, 0x8000_0000_0000, .read) == .signal(number: 11, code: 1))
        #expect(fault(space, KernelLayout.userEnd, .read) == .signal(number: 11, code: 1))
        var request = MappingRequest(length: 1, protection: .read)
        request.maximumProtection = [.read, .execute]
        let limited = try space.map(request, TaskContext())
        #expect(
            error { () throws(Errno) in try space.protect(limited, length: 1, [.read, .write]) }
                == .accessDenied)
        #expect(error { () throws(Errno) in try space.protect(0x77_0000, length: 1, .read) } == .noMemory)
        _ = machine
    }

    private func fault(_ space: AddressSpace, _ address: UInt, _ access: FaultAccess) -> FaultResult {
        space.handleFault(at: VirtualAddress(address), access: access, TaskContext())
    }

    @Test func pagesBehindTheEndOfAFileAreABusError() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        let object = PagedObject(pageCount: 2)
        let start = try space.map(pages: 4, [.read, .write], .shared, object: object)
        #expect(space.poke(start + pageSize, 9))
        #expect(fault(space, start + 2 * pageSize, .read) == .signal(number: 7, code: 2))
        object.truncate(toByteCount: 4096)
        #expect(fault(space, start + pageSize, .read) == .signal(number: 7, code: 2))
        object.grow(toPageCount: 2)
        #expect(space.peek(start + pageSize) == 0)
        _ = machine
    }

    @Test func filePagesComeWithTheirNeighbours() throws {
        let machine = TestMachine()
        let object = PagedObject(pageCount: 40)
        for page in 0..<40 { Frames.release(try object.makeFrame(at: page)) }
        let space = try AddressSpace()
        let start = try space.map(at: 0x10_0000, pages: 40, .read, object: object)
        #expect(space.peek(start + 20 * pageSize) == 0)
        #expect(space.usage.sharedMemoryPages == 16)
        space.checkInvariants()
        _ = machine
    }

    @Test func theBreakMoves() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        space.setHeapStart(0x50_0123)
        #expect(space.setBreak(0) == 0x50_0123)
        #expect(space.setBreak(0x50_5008) == 0x50_5008)
        #expect(space.poke(0x50_5000, 3))
        #expect(space.region(containing: 0x50_5000)?.kind == .heap)
        #expect(space.setBreak(0x50_2000) == 0x50_2000)
        #expect(space.peek(0x50_2000) == nil)
        #expect(space.setBreak(0x50_9000) == 0x50_9000)
        #expect(space.peek(0x50_5000) == 0)
        _ = try space.map(at: 0x50_c000, pages: 1)
        #expect(space.setBreak(0x50_c001) == 0x50_9000)
        var limits = space.limits
        limits.data = 0x8000
        space.setLimits(limits)
        #expect(space.setBreak(0x50_a000) == 0x50_9000)
        _ = machine
    }

    @Test func stacksGrowToTheirLimitAndNoCloserThanTheGap() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        let top: UInt = 0x1000_0000_0000
        _ = try space.map(at: top - pageSize, pages: 1, [.read, .write], .growsDown)
        #expect(space.poke(top - 100 * pageSize, 1))
        #expect(space.region(containing: top - 1)?.byteCount == 100 * pageSize)
        #expect(!space.poke(top - (8 << 20) - 8, 1))
        #expect(space.poke(top - (8 << 20), 1))
        var limits = space.limits
        limits.stack = 16 << 20
        space.setLimits(limits)
        _ = try space.map(at: top - (12 << 20), pages: 1)
        #expect(!space.poke(top - (11 << 20), 1))
        #expect(space.poke(top - (11 << 20) + pageSize, 1))
        _ = machine
    }

    @Test func remappingGrowsMovesAndShrinks() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        let start = try space.map(at: 0x10_0000, pages: 4)
        for page in 0..<UInt(4) { #expect(space.poke(start + page * pageSize, UInt64(page) + 1)) }
        var request = RemapRequest(start: start, oldLength: 4 * pageSize, newLength: 8 * pageSize)
        #expect(try space.remap(request) == start)
        _ = try space.map(at: start + 8 * pageSize, pages: 1, .read)
        request.oldLength = 8 * pageSize
        request.newLength = 9 * pageSize
        #expect(error { () throws(Errno) in _ = try space.remap(request) } == .noMemory)
        request.mayMove = true
        let moved = try space.remap(request)
        #expect(moved != start)
        for page in 0..<UInt(4) { #expect(space.peek(moved + page * pageSize) == UInt64(page) + 1) }
        #expect(space.peek(start) == nil)
        request = RemapRequest(start: moved, oldLength: 9 * pageSize, newLength: 2 * pageSize)
        #expect(try space.remap(request) == moved)
        #expect(space.usage.anonymousPages == 2)
        request = RemapRequest(start: moved, oldLength: 3 * pageSize, newLength: 4 * pageSize)
        #expect(error { () throws(Errno) in _ = try space.remap(request) } == .badAddress)
        space.checkInvariants()
        _ = machine
    }

    @Test func outOfMemoryIsAResultAndTheKernelHasItsReserve() throws {
        let machine = TestMachine(bytes: 16 << 20)
        let free = machine.settledFreeFrames()
        do {
            let space = try AddressSpace()
            let start = try space.map(pages: 8192)
            var result = FaultResult.resolved
            var page: UInt = 0
            while result == .resolved, page < 8192 {
                result = fault(space, start + page * pageSize, .write)
                page += 1
            }
            #expect(result == .outOfMemory)
            #expect(Frames.freeCount > 400)
            #expect(error { () throws(Errno) in _ = try space.fork() } == .noMemory)
            #expect(error { () throws(Errno) in _ = try space.map(pages: 1) } == .noMemory)
        }
        #expect(machine.settledFreeFrames() == free)
    }

    @Test func aThousandForksLeaveNothing() throws {
        let machine = TestMachine()
        let parent = try AddressSpace()
        let object = PagedObject(pageCount: 64)
        _ = try parent.map(at: 0x40_0000, pages: 64, [.read, .execute], object: object)
        _ = try parent.map(at: 0x60_0000, pages: 20)
        for page in 0..<UInt(20) { #expect(parent.poke(0x60_0000 + page * pageSize, UInt64(page))) }
        #expect(parent.peek(0x40_0000) == 0)
        let free = machine.settledFreeFrames()
        for round in 0..<1000 {
            let child = try parent.fork()
            #expect(child.poke(0x60_0000, UInt64(round)))
            #expect(child.peek(0x40_0000 + 5 * pageSize) == 0)
            _ = try child.map(pages: 3)
            parent.use()
        }
        Frames.release(try object.makeFrame(at: 63))
        #expect(parent.peek(0x60_0000) == 0)
        // Pages of the file that the children touched first stay in the file.
        object.truncate(toByteCount: 0)
        #expect(machine.settledFreeFrames() >= free)
        AddressSpace.useNone()
    }

    @Test func stacksOfTheKernelComeBack() throws {
        let machine = TestMachine()
        let stacks = (0..<100).map { _ in KernelStack.allocate()! }
        #expect(Set(stacks.map { $0.base.value }).count == 100)
        for stack in stacks {
            #expect(stack.top.value - stack.base.value == KernelStack.size)
            #expect(KernelStack.isGuard(VirtualAddress(stack.base.value - 1)))
            #expect(!KernelStack.isGuard(stack.base))
        }
        let free = machine.settledFreeFrames()
        for stack in stacks { stack.free() }
        KernelStack.trim(keeping: 10, TaskContext())
        #expect(machine.settledFreeFrames() >= free + 90 * 4)
        #expect(KernelStack.cachedCount == 10)
        let again = KernelStack.allocate()!
        #expect(stacks.contains(again))
    }

    @Test func stringsEndWhereTheyEnd() throws {
        let machine = TestMachine()
        let space = try AddressSpace()
        let start = try space.map(at: 0x10_0000, pages: 1)
        space.use()
        let text = [UInt8](repeating: 65, count: 300)
        try UserMemory.copyOut(text.span, to: start + pageSize - 301, TaskContext())
        #expect(try UserMemory.string(at: start + pageSize - 301, limit: 4096, TaskContext()) == text)
        #expect(try UserMemory.string(at: start + pageSize - 1, limit: 1, TaskContext()) == [])
        #expect(
            error { () throws(Errno) in
                _ = try UserMemory.string(at: start + pageSize - 301, limit: 300, TaskContext())
            } == .nameTooLong)
        try UserMemory.copyOut([66].span, to: start + pageSize - 1, TaskContext())
        #expect(
            error { () throws(Errno) in
                _ = try UserMemory.string(at: start + pageSize - 301, limit: 4096, TaskContext())
            } == .badAddress)
        for address in [0, UInt.max, KernelLayout.userEnd, KernelLayout.userEnd - 1, 1 << 63] {
            #expect(
                error { () throws(Errno) in _ = try UserMemory.string(at: address, limit: 10, TaskContext()) }
                    == .badAddress)
            #expect(
                error { () throws(Errno) in _ = try UserPointer<UInt64>(address).load(TaskContext()) }
                    == .badAddress)
            #expect(
                error { () throws(Errno) in try UserMemory.clear(address, count: 9, TaskContext()) }
                    == .badAddress)
        }
        AddressSpace.useNone()
        _ = machine
    }
}
