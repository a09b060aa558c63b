import Testing

@testable import Linux

@Suite struct FilesRadixTreeTests {
    @Test(arguments: [UInt(100), 5000, 1 << 40, .max])
    func likeADictionary(largest: UInt) {
        var random = SeededGenerator(UInt64(largest & 0xffff))
        var tree = RadixTree()
        var model: [UInt: UInt] = [:]
        for _ in 0..<20000 {
            let index =
                UInt.random(in: 0...largest, using: &random) >> UInt.random(in: 0...40, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let word = UInt.random(in: 1...UInt.max, using: &random)
                let old = tree.set(index, word)
                #expect(old == model[index] ?? 0)
                model[index] = word
            case 1:
                let old = tree.remove(index)
                #expect(old == model.removeValue(forKey: index) ?? 0)
            default:
                let word = tree[index]
                #expect(word == model[index] ?? 0)
            }
        }
        let count = tree.count
        #expect(count == model.count)
        var at: UInt = 0
        for index in model.keys.sorted() {
            let found = tree.next(from: at)
            #expect(found?.index == index)
            #expect(found?.word == model[index])
            at = index == .max ? .max : index + 1
        }
        if model[.max] == nil {
            let end = tree.next(from: at) == nil
            #expect(end)
        }
        var left = model.count
        tree.removeAll { _ in left -= 1 }
        #expect(left == 0)
        let isEmpty = tree.count == 0 && tree[0] == 0
        #expect(isEmpty)
    }
}
