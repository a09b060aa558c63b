// What the bench of calls between CPUs concludes.

import Testing

@testable import Tool

@Suite struct CrossCPUBenchTests {
    @Test func costsThatRiseAreNotFlat() {
        #expect(CrossCPUBench.isFlat([508, 304, 246, 250]))
        #expect(CrossCPUBench.isFlat([100, 125]))
        #expect(!CrossCPUBench.isFlat([100, 126]))
        #expect(!CrossCPUBench.isFlat([508, 200, 220, 260]))
        #expect(!CrossCPUBench.isFlat([508, 0, 246, 250]))
        #expect(!CrossCPUBench.isFlat([]))
    }

    @Test func breakEvenOfFlushes() {
        #expect(FlushBench.breakEven([(1, 10, 100), (2, 20, 100), (4, 180, 100)]) == 3)
        #expect(FlushBench.breakEven([(1, 10, 100), (2, 20, 100)]) == nil)
        #expect(FlushBench.breakEven([(1, 110, 100), (2, 120, 100)]) == 1)
    }
}
