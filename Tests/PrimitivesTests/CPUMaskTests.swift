import Machine
import Primitives
import Testing

@Suite struct CPUMaskTests {
    @Test func insertRemoveAndNext() {
        var mask = CPUMask()
        #expect(mask.isEmpty && mask.next(from: 0) == nil)
        for cpu in [0, 63, 64, 130, 255] { mask.insert(cpu) }
        #expect(mask.count == 5)
        var seen: [Int] = []
        mask.forEach { seen.append($0) }
        #expect(seen == [0, 63, 64, 130, 255])
        #expect(mask.next(from: 131) == 255)
        #expect(mask.next(from: 256) == nil)
        mask.remove(64)
        #expect(!mask.contains(64) && mask.next(from: 64) == 130)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 128, 255, 256])
    func first(count: Int) {
        let mask = CPUMask(first: count)
        #expect(mask.count == count)
        #expect(mask.next(from: 0) == (count == 0 ? nil : 0))
        #expect(mask.next(from: count) == nil)
        #expect(mask.intersection(.all) == mask)
    }
}
