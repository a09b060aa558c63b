import Testing

@testable import Linux

@Suite struct InitialStackTests {
    @Test(arguments: 0..<40) func isAlignedAndOrdered(_ count: Int) throws {
        let stack = try #require(
            InitialStack(
                top: 0x3fff_ffff_f000, argumentCount: count, environmentCount: 2 * count,
                argumentSize: UInt(count * 7), environmentSize: UInt(count * 13), executedNameSize: 9,
                auxiliaryCount: 20))
        #expect(stack.pointer % 16 == 0)
        #expect(stack.pointer + UInt(stack.wordCount * 8) <= stack.random)
        #expect(stack.random + 16 <= stack.platform)
        #expect(stack.platform + 7 <= stack.argumentStrings)
        #expect(stack.argumentStrings + UInt(count * 7) == stack.environmentStrings)
        #expect(stack.environmentStrings + UInt(count * 13) == stack.executedName)
        #expect(stack.executedName + 9 + 8 == 0x3fff_ffff_f000)
    }

    @Test func refusesWhatDoesNotFit() {
        #expect(
            InitialStack(
                top: 4096, argumentCount: 600, environmentCount: 0, argumentSize: 0, environmentSize: 0,
                executedNameSize: 1, auxiliaryCount: 1) == nil)
    }
}
