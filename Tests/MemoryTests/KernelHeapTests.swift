// The kernel heap: aligned, never overlapping, and nothing kept once all is given back.

import Machine
import Primitives
import Testing

@testable import Memory

@Suite struct KernelHeapTests {
    private struct Block {
        let address: UInt
        let size: Int
        let mark: UInt8
    }

    @Test(arguments: 0..<20)
    func randomSizesAndAlignments(seed: Int) {
        withMachine {
            var generator = SeededGenerator(seed)
            KernelHeap.drainThisCPU()
            let free = Frames.freeCount
            var blocks: [Block] = []
            for _ in 0..<5000 {
                if blocks.isEmpty || Int.random(in: 0..<100, using: &generator) < 55 {
                    blocks.append(allocate(&generator))
                } else {
                    release(blocks.remove(at: Int.random(in: 0..<blocks.count, using: &generator)))
                }
            }
            for block in blocks { release(block) }
            KernelHeap.drainThisCPU()
            #expect(Frames.freeCount == free)
            #expect(KernelHeap.byteCount == 0)
        }
    }

    private func allocate(_ generator: inout SeededGenerator) -> Block {
        let size = Int.random(in: 0...(1 << Int.random(in: 4...14, using: &generator)), using: &generator)
        let alignment = 1 << Int.random(in: 0...(Bool.random(using: &generator) ? 4 : 12), using: &generator)
        let mark = UInt8.random(in: .min ... .max, using: &generator)
        let pointer = unsafe KernelHeap.allocate(size, alignment: alignment)
        let address = unsafe PhysicalAddress(directMapped: pointer).value
        #expect(address % UInt64(max(alignment, 16)) == 0)
        #expect(unsafe KernelHeap.size(of: pointer) >= size)
        unsafe pointer.initializeMemory(as: UInt8.self, repeating: mark, count: size)
        return Block(address: UInt(bitPattern: pointer), size: size, mark: mark)
    }

    private func release(_ block: Block) {
        let pointer = unsafe UnsafeMutableRawPointer(bitPattern: block.address)!
        let bytes = unsafe UnsafeRawBufferPointer(start: pointer, count: block.size)
        #expect(unsafe bytes.allSatisfy { $0 == block.mark })
        unsafe KernelHeap.free(pointer)
    }

    @Test func everySizeHasItsClass() {
        let table = SizeClass.makeTable()
        for size in 0...SizeClass.largest {
            let number = Int(table[(size + 15) / 16])
            #expect(SizeClass.size(number) >= size)
            if number > 0 { #expect(SizeClass.size(number - 1) < size) }
        }
    }

    @Test func doubleFreeIsNamed() async {
        await #expect(processExitsWith: .failure) {
            withMachine {
                let pointer = unsafe KernelHeap.allocate(40)
                unsafe KernelHeap.free(pointer)
                unsafe KernelHeap.free(pointer)
            }
        }
    }

    @Test func freeOfAPlaceInsideABlockIsFound() async {
        await #expect(processExitsWith: .failure) {
            withMachine {
                unsafe KernelHeap.free(KernelHeap.allocate(100_000) + 4096)
            }
        }
    }
}
