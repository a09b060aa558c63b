// The frame allocator: nothing handed out twice, everything merged back, counts exact.

import Machine
import Primitives
import Testing

@testable import Memory

@Suite struct FramesTests {
    @Test(arguments: 0..<20)
    func randomBlocksNeverOverlapAndMergeBack(seed: Int) {
        withMachine {
            var generator = SeededGenerator(seed)
            Frames.drainThisCPU()
            let free = Frames.freeCount
            let largest = largestBlocks()
            var owned: [(frame: Frame, order: Int)] = []
            var taken = Set<UInt32>()
            for _ in 0..<2000 {
                if owned.isEmpty || Bool.random(using: &generator) {
                    let order = Int.random(
                        in: 0...(Int.random(in: 0...10, using: &generator)), using: &generator)
                    guard let frame = Frames.allocate(order: order) else { continue }
                    #expect(frame.number % (1 << UInt32(order)) == 0)
                    for number in frame.number..<frame.number + 1 << UInt32(order) {
                        #expect(taken.insert(number).inserted)
                    }
                    owned.append((frame, order))
                } else {
                    let (frame, order) = owned.remove(at: Int.random(in: 0..<owned.count, using: &generator))
                    for number in frame.number..<frame.number + 1 << UInt32(order) { taken.remove(number) }
                    Frames.free(frame, order: order)
                }
                #expect(Frames.freeCount == free - taken.count)
            }
            for (frame, order) in owned { Frames.free(frame, order: order) }
            #expect(Frames.freeCount == free)
            Frames.drainThisCPU()
            #expect(largestBlocks() == largest)
        }
    }

    /// How many 4 MiB blocks can be had.
    private func largestBlocks() -> Int {
        var blocks: [Frame] = []
        while let block = Frames.allocate(order: Frames.maximumOrder) { blocks.append(block) }
        for block in blocks { Frames.free(block, order: Frames.maximumOrder) }
        return blocks.count
    }

    @Test func everyFrameCanBeHad() {
        withMachine(bytes: 16 << 20) {
            let free = Frames.freeCount
            var frames: [Frame] = []
            while let frame = Frames.allocate() { frames.append(frame) }
            // One frame became this CPU's cache.
            #expect(frames.count == free - 1)
            #expect(Frames.freeCount == 0)
            for frame in frames { Frames.free(frame) }
            #expect(Frames.freeCount == free - 1)
        }
    }

    @Test func userProgramsStopAtTheWatermark() {
        withMachine(bytes: 64 << 20) {
            var frames: [Frame] = []
            while let frame = Frames.allocate(use: .user) { frames.append(frame) }
            #expect(Frames.freeCount >= 512)
            #expect(Frames.freeCount < 512 + 256)
            #expect(!Frames.userMayAllocate)
            #expect(Frames.allocate(order: 3, use: .user) == nil)
            #expect(Frames.allocate() != nil)
            for frame in frames { Frames.free(frame) }
            #expect(Frames.userMayAllocate)
        }
    }

    @Test func countsKeepSharedFrames() {
        withMachine {
            let frame = Frames.allocate()!
            let free = Frames.freeCount
            Frames.retain(frame)
            Frames.retain(frame)
            #expect(Frames.count(of: frame) == 3)
            Frames.release(frame)
            Frames.release(frame)
            #expect(Frames.freeCount == free)
            Frames.release(frame)
            #expect(Frames.freeCount == free + 1)
        }
    }

    @Test func zeroedFramesAreZero() {
        withMachine {
            for _ in 0..<100 {
                let frame = Frames.allocateZeroed()!
                let bytes = unsafe UnsafeRawBufferPointer(start: frame.pointer, count: 4096)
                #expect(unsafe bytes.allSatisfy { $0 == 0 })
                unsafe frame.pointer.storeBytes(of: 0xff, as: UInt8.self)
                if Bool.random() {
                    frame.clear()
                    Frames.freeZeroed(frame)
                } else {
                    Frames.free(frame)
                }
            }
        }
    }

    @Test func rangesLeaveOutWhatIsReserved() {
        func range(_ start: UInt64, _ end: UInt64) -> PhysicalRange { PhysicalRange(start: start, end: end) }
        let free = Frames.freeRanges(
            [range(0x10_0800, 0x20_0000), range(0, 0x9_fc00), range(0x8_0000, 0x9_0000)],
            [range(0x14_0010, 0x14_0020), range(0x9_0000, 0x13_0000), range(0, 0x1000), range(5, 5)])
        #expect(free == [range(0x1000, 0x9_0000), range(0x13_0000, 0x14_0000), range(0x14_1000, 0x20_0000)])
    }

    @Test func doubleFreeIsNamed() async {
        await #expect(processExitsWith: .failure) {
            withMachine {
                let frame = Frames.allocate()!
                Frames.free(frame)
                Frames.free(frame)
            }
        }
    }

    @Test func freeWithTheWrongOrderIsFound() async {
        await #expect(processExitsWith: .failure) {
            withMachine { Frames.free(Frames.allocate(order: 3)!, order: 2) }
        }
    }

    @Test func freeOfASharedFrameIsFound() async {
        await #expect(processExitsWith: .failure) {
            withMachine {
                let frame = Frames.allocate()!
                Frames.retain(frame)
                Frames.free(frame)
            }
        }
    }
}
