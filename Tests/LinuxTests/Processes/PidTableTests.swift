import Testing

@testable import Linux

@Suite struct PidTableTests {
    @Test func numbersBeginAtOneAndGoOn() {
        var table = PidTable()
        #expect(table.allocate() == 1)
        #expect(table.allocate() == 2)
        table.cancel(2)
        #expect(table.allocate() == 3)
        #expect(table.count == 2)
        #expect(table.next(from: 2) == 3)
        #expect(table.next(from: 4) == nil)
    }

    @Test func allNumbersCanBeUsedAndComeBack() {
        var table = PidTable()
        for number in 1..<PidTable.limit { #expect(table.allocate() == Int32(number)) }
        #expect(table.allocate() == nil)
        table.cancel(17)
        // Small numbers are not given again.
        #expect(table.allocate() == nil)
        table.cancel(12345)
        table.cancel(300)
        #expect(table.allocate() == 300)
        #expect(table.allocate() == 12345)
        #expect(table.allocate() == nil)
    }

    @Test func nonsenseIsNotFound() {
        var table = PidTable()
        for number in [0, -1, .min, .max, 5, 32768] as [Int32] {
            #expect(table.process(number) == nil)
            #expect(table.task(number) == nil)
            table.cancel(number)
        }
        #expect(table.count == 0)
        #expect(table.next(from: .min) == nil)
        #expect(table.next(from: .max) == nil)
    }

    @Test func numbersLiveAsLongAsAnythingHasThem() throws {
        var table = PidTable()
        let given = table.allocate()
        let number = try #require(given)
        let session = Session(number)
        table.update(number) { $0.session = session }
        table.update(number) { $0.group = ProcessGroup(number, session) }
        table.update(number) { $0.session = nil }
        #expect(table.group(number)?.identifier == number)
        #expect(table.count == 1)
        table.update(number) { $0.group = nil }
        #expect(table.count == 0)
        #expect(table.group(number) == nil)
    }
}
