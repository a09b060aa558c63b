// The tree of an object's pages, against a dictionary.

import Testing

@testable import Memory

@Suite struct PageTreeTests {
    @Test(arguments: 0..<20)
    func likeADictionary(seed: Int) {
        let machine = TestMachine()
        let free = machine.settledFreeFrames()
        do {
            var generator = SeededGenerator(seed)
            var tree = PageTree()
            var model: [Int: UInt32] = [:]
            let range = 1 << Int.random(in: 1...30, using: &generator)
            for step in 1..<500 {
                let page = Int.random(in: 0..<range, using: &generator)
                if Int.random(in: 0..<10, using: &generator) == 0 {
                    let end = Bool.random(using: &generator) ? Int.max : page + range / 4
                    var removed: [Int: UInt32] = [:]
                    tree.remove(page, end) { removed[$0] = $1.number }
                    #expect(removed == model.filter { $0.key >= page && $0.key < end })
                    model = model.filter { $0.key < page || $0.key >= end }
                } else if model[page] == nil {
                    tree.insert(page, Frame(UInt32(step)))
                    model[page] = UInt32(step)
                }
                #expect(tree.count == model.count)
                #expect(tree[page]?.number == model[page])
                let probe = Int.random(in: 0..<range * 2, using: &generator)
                #expect(tree[probe]?.number == model[probe])
                #expect(tree.next(from: probe) == model.keys.filter { $0 >= probe }.min())
            }
        }
        #expect(machine.settledFreeFrames() == free)
    }
}
