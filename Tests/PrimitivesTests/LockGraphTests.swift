// The order of locks, and locks in interrupts.

import Machine
import Testing

@testable import Primitives

private func backtrace(_ address: UInt) -> StackTrace {
    var trace = StackTrace()
    trace.append(address)
    return trace
}

/// Classes of the graph, by the lines on which they are made.
private func makeClasses(_ graph: inout LockGraph, _ count: Int) -> [Int] {
    (0..<count).map { graph.number(of: LockSite("Test.swift", UInt32($0)))! }
}

private func numbers(_ path: LockPath) -> [Int] { (0..<path.count).map { path[$0] } }

extension LockGraph {
    fileprivate mutating func addEdge(_ from: Int, _ to: Int, _ address: UInt = 1) -> LockFinding {
        var finding = LockFinding()
        addEdge(from: from, to: to, backtrace(address), &finding)
        return finding
    }

    fileprivate mutating func use(_ number: Int, _ usage: LockUsage, _ address: UInt = 1) -> LockFinding {
        var finding = LockFinding()
        use(number, usage, backtrace(address), &finding)
        return finding
    }

    fileprivate mutating func nest(_ number: Int, upwards: Bool, _ address: UInt) -> LockFinding {
        var finding = LockFinding()
        nest(number, upwards: upwards, backtrace(address), &finding)
        return finding
    }
}

extension LockFinding {
    fileprivate var circle: [Int]? { problem == .cycle ? numbers(path) : nil }
    fileprivate var behind: [Int]? { problem == .interruptedBehind ? numbers(path) : nil }
}

@Suite struct LockGraphTests {
    @Test func locksOfOnePlaceAreOneClass() {
        var graph = LockGraph()
        let a = graph.number(of: LockSite("A.swift", 1))
        #expect(graph.number(of: LockSite("A.swift", 1)) == a)
        #expect(graph.number(of: LockSite("A.swift", 2)) != a)
        #expect(graph.number(of: LockSite("B.swift", 1)) != a)
        #expect(graph.number(of: LockSite("A.swif", 1)) != a)
        #expect(graph.classCount == 4)
    }

    @Test func oneOrderIsNoProblem() {
        var graph = LockGraph()
        let c = makeClasses(&graph, 4)
        for (from, to) in [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (0, 1)] {
            #expect(graph.addEdge(c[from], c[to], 1).problem == .none)
        }
        #expect(graph.edgeCount == 5)
    }

    @Test func twoOrdersAreACircleReportedOnce() {
        var graph = LockGraph()
        let c = makeClasses(&graph, 2)
        #expect(graph.addEdge(c[0], c[1], 17).problem == .none)
        #expect(graph.addEdge(c[1], c[0], 18).circle == [c[0], c[1]])
        #expect(graph.trace(from: c[0], to: c[1])[0] == 17)
        #expect(graph.trace(from: c[1], to: c[0])[0] == 18)
        #expect(graph.addEdge(c[1], c[0], 19).problem == .none)
    }

    @Test(arguments: [3, 5, 16]) func longCirclesAreFoundWithAllTheirSteps(length: Int) {
        var graph = LockGraph()
        let c = makeClasses(&graph, length)
        for index in 1..<length { #expect(graph.addEdge(c[index - 1], c[index], 1).problem == .none) }
        #expect(graph.addEdge(c[length - 1], c[0], 2).circle == c)
    }

    @Test func theShortestCircleIsShown() {
        var graph = LockGraph()
        let c = makeClasses(&graph, 5)
        for index in 1..<5 { _ = graph.addEdge(c[index - 1], c[index], 1) }
        _ = graph.addEdge(c[0], c[4], 1)
        #expect(graph.addEdge(c[4], c[0], 2).circle == [c[0], c[4]])
    }

    /// Against a plain transitive closure, over random edges.
    @Test(arguments: 0..<50) func randomEdges(seed: Int) {
        var graph = LockGraph()
        var random = SystemRandomNumberGenerator()
        let count = 8 + seed % 12
        let c = makeClasses(&graph, count)
        var reaches = Array(repeating: Array(repeating: false, count: count), count: count)
        for _ in 0..<60 {
            let from = Int.random(in: 0..<count, using: &random)
            let to = Int.random(in: 0..<count, using: &random)
            if from == to || graph.hasEdge(from: c[from], to: c[to]) { continue }
            let found = graph.addEdge(c[from], c[to], 1).circle
            #expect((found != nil) == reaches[to][from])
            #expect(found == nil || (found!.first == c[to] && found!.last == c[from]))
            for a in 0..<count where a == from || reaches[a][from] {
                for b in 0..<count where b == to || reaches[to][b] { reaches[a][b] = true }
            }
        }
    }

    @Test func nestingInBothOrders() {
        var graph = LockGraph()
        let c = makeClasses(&graph, 1)
        #expect(graph.nest(c[0], upwards: true, 5).problem == .none)
        #expect(graph.nest(c[0], upwards: true, 6).problem == .none)
        let finding = graph.nest(c[0], upwards: false, 7)
        #expect(finding.problem == .bothOrders)
        #expect(finding.number == c[0])
        #expect(graph.nestingTrace(c[0])[0] == 5)
        #expect(graph.nest(c[0], upwards: false, 8).problem == .none)
    }

    @Test(arguments: [
        (LockUsage.inHardInterrupt, LockUsage.hardInterruptsOn),
        (.hardInterruptsOn, .inHardInterrupt),
        (.inSoftInterrupt, .softInterruptsOn),
        (.softInterruptsOn, .inSoftInterrupt),
    ]) func aLockThatCanBeWantedByWhoInterruptsItsHolder(first: LockUsage, second: LockUsage) {
        var graph = LockGraph()
        let c = makeClasses(&graph, 1)
        #expect(graph.use(c[0], first, 5).problem == .none)
        let finding = graph.use(c[0], second, 6)
        #expect(finding.problem == .interrupted)
        #expect(finding.number == c[0])
        #expect(finding.usage == .inHardInterrupt || finding.usage == .inSoftInterrupt)
        #expect(graph.trace(c[0], first)[0] == 5)
        #expect(graph.trace(c[0], second)[0] == 6)
        #expect(graph.use(c[0], second, 7).problem == .none)
    }

    @Test func usagesThatGoTogether() {
        var graph = LockGraph()
        let c = makeClasses(&graph, 3)
        #expect(graph.use(c[0], [.inHardInterrupt, .inSoftInterrupt], 1).problem == .none)
        #expect(graph.use(c[1], [.inSoftInterrupt, .hardInterruptsOn], 1).problem == .none)
        #expect(graph.use(c[2], [.hardInterruptsOn, .softInterruptsOn], 1).problem == .none)
        // Away from locks of interrupts, any order is good.
        #expect(graph.addEdge(c[2], c[1], 1).problem == .none)
        #expect(graph.addEdge(c[1], c[0], 1).problem == .none)
    }

    @Test func anInterruptsLockThatWaitsForAnInterruptedOne() {
        // The edge comes last.
        var graph = LockGraph()
        var c = makeClasses(&graph, 4)
        _ = graph.use(c[0], .inHardInterrupt, 1)
        _ = graph.use(c[3], .hardInterruptsOn, 2)
        #expect(graph.addEdge(c[0], c[1], 3).problem == .none)
        #expect(graph.addEdge(c[2], c[3], 4).problem == .none)
        #expect(graph.addEdge(c[1], c[2], 5).behind == c)
        // What is wanted in the interrupt comes last.
        graph = LockGraph()
        c = makeClasses(&graph, 3)
        _ = graph.use(c[2], .softInterruptsOn, 1)
        _ = graph.addEdge(c[0], c[1], 1)
        _ = graph.addEdge(c[1], c[2], 1)
        #expect(graph.use(c[0], .inSoftInterrupt, 2).behind == c)
        // What is interrupted comes last.
        graph = LockGraph()
        c = makeClasses(&graph, 3)
        _ = graph.use(c[0], .inHardInterrupt, 1)
        _ = graph.addEdge(c[0], c[1], 1)
        _ = graph.addEdge(c[1], c[2], 1)
        #expect(graph.use(c[2], .hardInterruptsOn, 2).behind == c)
    }

    @Test func fullTablesAreSaidOnceAndHarmNothing() {
        var graph = LockGraph()
        for line in 0..<LockGraph.classLimit {
            #expect(graph.number(of: LockSite("A.swift", UInt32(line))) == line)
        }
        #expect(graph.number(of: LockSite("A.swift", 100_000)) == nil)
        var said = 0
        // Forwards only: no circle.
        for from in 0..<LockGraph.classLimit {
            for to in (from + 1)..<min(from + 20, LockGraph.classLimit) where from + 1 < LockGraph.classLimit
            {
                let problem = graph.addEdge(from, to).problem
                if problem == .none { continue }
                #expect(problem == .full)
                said += 1
            }
        }
        #expect(graph.edgeCount == LockGraph.edgeLimit)
        #expect(said == 1)
    }
}

@Suite struct HeldLocksTests {
    @Test func locksAreLetGoInAnyOrder() {
        var held = HeldLocks()
        for address in 1...3 {
            held.push(HeldLock(number: 0, address: UInt(address), context: .task, trace: backtrace(1)))
        }
        held.remove(address: 2)
        held.remove(address: 9)
        #expect(held.count == 2)
        #expect(held[0].address == 1)
        #expect(held[1].address == 3)
        held.remove(address: 3)
        held.remove(address: 1)
        held.remove(address: 1)
        #expect(held.count == 0)
    }

    @Test func tooDeepIsForgotten() {
        var held = HeldLocks()
        for address in 0..<40 {
            held.push(HeldLock(number: 0, address: UInt(address), context: .task, trace: StackTrace()))
        }
        #expect(held.count == HeldLocks.limit)
        for address in (0..<40).reversed() { held.remove(address: UInt(address)) }
        #expect(held.count == 0)
    }
}
