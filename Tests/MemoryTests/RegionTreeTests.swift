// The tree of regions: always in order, always flat, and the highest hole is the highest hole.

import Machine
import Testing

@testable import Memory

@Suite struct RegionTreeTests {
    private let attributes = RegionAttributes(protection: .read, maximum: .all, flags: [], kind: .ordinary)

    private func node(_ start: UInt, _ end: UInt) -> RegionTree.Node {
        unsafe RegionTree.make(RegionNode(start * pageSize, end * pageSize, attributes, nil, 0))
    }

    /// Checks a subtree and returns its height.
    private func check(_ link: RegionTree.Link) -> Int {
        guard let node = unsafe link else { return 0 }
        let left = unsafe check(node.pointee.left)
        let right = unsafe check(node.pointee.right)
        #expect(abs(left - right) <= 1)
        #expect(unsafe Int(node.pointee.height) == max(left, right) + 1)
        return max(left, right) + 1
    }

    @Test(arguments: 0..<10)
    func randomInsertionsAndRemovals(seed: Int) {
        _ = TestMachine()
        var generator = SeededGenerator(seed)
        var tree = RegionTree()
        var taken = [Bool](repeating: false, count: 300)
        var nodes: [UInt: RegionTree.Node] = unsafe [:]
        for _ in 0..<600 {
            let page = UInt.random(in: 1..<300, using: &generator)
            if taken[Int(page)] {
                guard let node = unsafe nodes[page] else { continue }
                unsafe nodes[page] = nil
                unsafe tree.remove(node)
                for each in unsafe node.pointee.start / pageSize..<node.pointee.end / pageSize {
                    taken[Int(each)] = false
                }
                unsafe RegionTree.release(node)
            } else {
                var end = page + 1
                while end < 300, !taken[Int(end)], Bool.random(using: &generator) { end += 1 }
                let new = unsafe node(page, end)
                unsafe tree.insert(new)
                unsafe nodes[page] = new
                for each in page..<end { taken[Int(each)] = true }
            }
            _ = unsafe check(tree.root)
            compare(&tree, taken, &generator)
        }
    }

    private func compare(_ tree: inout RegionTree, _ taken: [Bool], _ generator: inout SeededGenerator) {
        let size = UInt.random(in: 1..<20, using: &generator)
        let low = UInt.random(in: 1..<100, using: &generator)
        let high = UInt.random(in: 100..<300, using: &generator)
        var expected: UInt?
        var start = high
        while start >= low + 1, expected == nil {
            start -= 1
            if start + size <= high, (start..<start + size).allSatisfy({ !taken[Int($0)] }) {
                expected = start * pageSize
            }
        }
        #expect(tree.highestGap(size * pageSize, from: low * pageSize, to: high * pageSize) == expected)
        for page in 1..<UInt(300) {
            let found = unsafe tree.containing(page * pageSize + 5)
            #expect(unsafe (found != nil) == taken[Int(page)])
        }
        var previous: UInt = 0
        var each = unsafe tree.first
        var count = 0
        while let node = unsafe each {
            #expect(unsafe node.pointee.start >= previous)
            previous = unsafe node.pointee.end
            unsafe each = node.pointee.next
            count += 1
        }
        #expect(count == tree.count)
    }

    @Test func manyStayFlat() throws {
        _ = TestMachine(bytes: 256 << 20)
        let space = try AddressSpace()
        for _ in 0..<30_000 {
            // Alternate rights, so that neighbours stay apart.
            let rights: Protection = space.regionCount & 1 == 0 ? .read : [.read, .write]
            _ = try space.map(pages: 1, rights)
        }
        #expect(space.regionCount == 30_000)
        space.state.withLock { state in
            #expect(unsafe state.regions.root!.pointee.height <= 21)
        }
        let child = try space.fork()
        #expect(child.regionCount == 30_000)
        child.state.withLock { state in
            #expect(unsafe state.regions.root!.pointee.height == 15)
        }
    }
}
