// Random system calls on several programs, each result compared with the model; nothing leaks.

import Machine
import Primitives
import Testing

@testable import Memory
@_spi(ContextEntry) import Primitives

@Suite struct AddressSpaceRandomTests {
    @Test(arguments: 0..<60)
    func likeTheModel(seed: Int) {
        let machine = TestMachine(cpus: 2)
        // The first address space is the last to allocate what stays.
        do { var warm = RandomPrograms(seed: 1, machine); warm.run(50) }
        let free = machine.settledFreeFrames()
        do {
            var programs = RandomPrograms(seed: seed, machine)
            programs.run(400)
        }
        #expect(machine.settledFreeFrames() == free)
    }
}

/// Up to four programs in a window of pages that straddles the border of two page tables at each level.
private struct RandomPrograms {
    static let window = 96
    static let base: UInt = (1 << 39) / pageSize - 48

    var generator: SeededGenerator
    let machine: TestMachine
    var spaces: [ModelSpace]
    var objects: [ModelObject]
    var lastValue: UInt64 = 0

    init(seed: Int, _ machine: TestMachine) {
        generator = SeededGenerator(seed)
        self.machine = machine
        spaces = [ModelSpace(space: try! AddressSpace())]
        objects = (0..<3).map { ModelObject(pages: 20 + $0 * 30) }
    }

    mutating func random(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    mutating func run(_ steps: Int) {
        for step in 0..<steps {
            machine.cpus[random(0..<2)].bind()
            let index = random(0..<spaces.count)
            let start = Self.base + UInt(random(0..<Self.window))
            let count = random(1..<min(20, Int(Self.base) + Self.window - Int(start) + 1))
            perform(random(0..<100), index, start, count)
            spaces[random(0..<spaces.count)].space.checkInvariants("step \(step)")
            if step % 8 == 0 { compare(random(0..<spaces.count)) }
        }
        for index in spaces.indices { compare(index) }
        for cpu in machine.cpus.indices { machine.on(cpu) { AddressSpace.useNone() } }
        machine.cpus[0].bind()
    }

    private mutating func perform(_ what: Int, _ index: Int, _ start: UInt, _ count: Int) {
        switch what {
        case 0..<18: map(index, start, count)
        case 18..<28: unmap(index, start, count)
        case 28..<38: protect(index, start, count)
        case 38..<46: remap(index, start, count)
        case 46..<50: fork(index)
        case 50..<53: exit(index)
        case 53..<57: discard(index, start, count)
        case 57..<60: truncate()
        case 60..<62: punch()
        case 62..<65: setForkFlags(index, start, count)
        default: write(index, start)
        }
    }

    private mutating func map(_ index: Int, _ start: UInt, _ count: Int) {
        let protection = Protection(rawValue: UInt8(random(0..<8)))
        let shared = random(0..<3) == 0
        let object = random(0..<2) == 0 || shared ? objects[random(0..<3)] : nil
        let offset = object == nil ? 0 : random(0..<30)
        let address = try? spaces[index].space.map(
            at: start * pageSize, pages: count, protection, shared ? .shared : [], object: object?.object,
            offset: offset)
        #expect(address == start * pageSize)
        for page in 0..<count {
            spaces[index].pages[start + UInt(page)] = ModelPage(
                protection: protection, isShared: shared, object: object, index: offset + page)
        }
    }

    private mutating func unmap(_ index: Int, _ start: UInt, _ count: Int) {
        #expect((try? spaces[index].space.unmap(start * pageSize, length: UInt(count) * pageSize)) != nil)
        for page in start..<start + UInt(count) { spaces[index].pages[page] = nil }
    }

    private mutating func protect(_ index: Int, _ start: UInt, _ count: Int) {
        let protection = Protection(rawValue: UInt8(random(0..<8)))
        let done: Void? = try? spaces[index].space.protect(
            start * pageSize, length: UInt(count) * pageSize, protection)
        var whole = true
        for page in start..<start + UInt(count) {
            guard spaces[index].pages[page] != nil else {
                whole = false
                break
            }
            spaces[index].pages[page]!.protection = protection
        }
        #expect((done != nil) == whole)
    }

    private mutating func setForkFlags(_ index: Int, _ start: UInt, _ count: Int) {
        guard (0..<UInt(count)).allSatisfy({ spaces[index].pages[start + $0].map { !$0.isShared } ?? false })
        else {
            return
        }
        let wiped = Bool.random(using: &generator)
        let done: Void? = try? spaces[index].space.setFlags(
            start * pageSize, length: UInt(count) * pageSize, add: wiped ? .wipedOnFork : .notForked,
            remove: wiped ? .notForked : .wipedOnFork)
        #expect(done != nil)
        for page in start..<start + UInt(count) {
            spaces[index].pages[page]!.isWiped = wiped
            spaces[index].pages[page]!.isNotForked = !wiped
        }
    }

    private mutating func remap(_ index: Int, _ start: UInt, _ count: Int) {
        let pages = spaces[index].pages
        let new = random(1..<20)
        var request = RemapRequest(
            start: start * pageSize, oldLength: UInt(count) * pageSize, newLength: UInt(new) * pageSize)
        request.mayMove = true
        let target = Self.base + UInt(random(0..<Self.window - new))
        request.newStart = target * pageSize
        guard let result = try? spaces[index].space.remap(request) else {
            // Refused for a reason the model knows: overlapping, or the old range is not one region.
            let overlaps = target < start + UInt(count) && start < target + UInt(new)
            let regions = spaces[index].space.regions().filter {
                $0.start < (start + UInt(count)) * pageSize && $0.end > start * pageSize
            }
            let isOne =
                regions.count == 1 && regions[0].start <= start * pageSize
                && regions[0].end >= (start + UInt(count)) * pageSize
            #expect(overlaps || !isOne)
            return
        }
        #expect(result == target * pageSize)
        for page in 0..<UInt(new) { spaces[index].pages[target + page] = nil }
        for page in start..<start + UInt(count) { spaces[index].pages[page] = nil }
        for page in 0..<new {
            var moved = pages[start + UInt(min(page, count - 1))]!
            if page >= count {
                moved.own = nil
                moved.index += page - (count - 1)
            }
            spaces[index].pages[target + UInt(page)] = moved
        }
    }

    private mutating func fork(_ index: Int) {
        guard spaces.count < 4, let child = try? spaces[index].space.fork() else { return }
        var pages = spaces[index].pages.filter { !$0.value.isNotForked }
        for (page, contents) in pages where contents.isWiped && !contents.isShared { pages[page]!.own = nil }
        spaces.append(ModelSpace(space: child, pages: pages))
        // At once, with what the CPUs' TLBs remember.
        for _ in 0..<8 {
            machine.cpus[random(0..<2)].bind()
            write(index, Self.base + UInt(random(0..<Self.window)))
        }
    }

    private mutating func exit(_ index: Int) {
        guard spaces.count > 1 else { return }
        spaces.remove(at: index)
    }

    private mutating func discard(_ index: Int, _ start: UInt, _ count: Int) {
        let done: Void? = try? spaces[index].space.discardPages(
            start * pageSize, length: UInt(count) * pageSize)
        #expect((done == nil) == (start..<start + UInt(count)).contains { spaces[index].pages[$0] == nil })
        for page in start..<start + UInt(count) { spaces[index].pages[page]?.own = nil }
    }

    private mutating func truncate() {
        let object = objects[random(0..<3)]
        let bytes = random(0..<60 * 4096)
        object.object.truncate(toByteCount: bytes)
        let end = (bytes + 4095) / 4096
        object.values = object.values.filter { $0.key < end }
        if bytes % 4096 != 0, bytes % 4096 < 8 {
            let kept = UInt64.max >> UInt64(64 - 8 * (bytes % 4096))
            object.values[end - 1] = (object.values[end - 1] ?? 0) & kept
        }
        for index in spaces.indices {
            for (page, contents) in spaces[index].pages
            where contents.object === object && contents.index >= end {
                spaces[index].pages[page]!.own = nil
            }
        }
    }

    private mutating func punch() {
        let object = objects[random(0..<3)]
        let first = random(0..<50)
        let end = first + random(1..<20)
        #expect((try? object.object.punchHole(first, end, TaskContext())) != nil)
        object.values = object.values.filter { $0.key < first || $0.key >= end }
    }

    private mutating func write(_ index: Int, _ page: UInt) {
        lastValue += 1
        let done = spaces[index].space.poke(page * pageSize, lastValue)
        guard let contents = spaces[index].pages[page], contents.protection.contains(.write),
            contents.value != nil
        else {
            #expect(!done)
            return
        }
        #expect(done)
        if contents.isShared {
            contents.object!.values[contents.index] = lastValue
        } else {
            spaces[index].pages[page]!.own = lastValue
        }
    }

    /// Reads every page of the window.
    private func compare(_ index: Int) {
        let model = spaces[index]
        for page in Self.base..<Self.base + UInt(Self.window) {
            let expected = model.pages[page]?.value
            let found = model.space.peek(page * pageSize)
            if found != expected {
                Issue.record(
                    "page \(page - Self.base): \(String(describing: found)), not \(String(describing: expected))"
                )
            }
            let region = model.space.region(containing: page * pageSize)
            #expect(region?.protection == model.pages[page]?.protection)
            #expect(region?.isShared == model.pages[page]?.isShared)
        }
        model.space.checkInvariants()
    }
}
