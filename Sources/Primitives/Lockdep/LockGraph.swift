// The order in which locks are taken: classes, and an edge from one to another when a lock of the second was taken while
// one of the first was held. A cycle is a deadlock that waits for its moment, whether or not it has ever come.
//
// Of bounded size, and nothing in it allocates once it is made. Whoever uses it sees to it that one does at a time.

import Machine

public struct LockGraph: ~Copyable {
    public static let classLimit = 256
    public static let edgeLimit = 2048
    static let wordsPerClass = classLimit / 64

    struct Edge {
        var from: UInt16 = 0
        var to: UInt16 = 0
        var trace = StackTrace()
    }

    var classes: [LockClass]
    public private(set) var classCount = 0
    var edges: [Edge]
    public private(set) var edgeCount = 0
    /// A bit for each pair of classes: the successors of each, and its predecessors.
    var after: [UInt64]
    var before: [UInt64]
    /// Room for one search: who was reached from where, plus one; and who is still to be looked at.
    var reachedFrom: [UInt16]
    var waiting: [UInt16]
    private var saidFull = false

    public init() {
        classes = Array(repeating: LockClass(), count: Self.classLimit)
        edges = Array(repeating: Edge(), count: Self.edgeLimit)
        after = Array(repeating: 0, count: Self.classLimit * Self.wordsPerClass)
        before = after
        reachedFrom = Array(repeating: 0, count: Self.classLimit)
        waiting = reachedFrom
    }

    // MARK: Classes

    /// The number of the class of locks made at `site`; nil when there is no room for another.
    public mutating func number(of site: LockSite) -> Int? {
        for index in 0..<classCount where classes[index].site == site { return index }
        guard classCount < Self.classLimit else { return nil }
        classes[classCount].site = site
        classCount += 1
        return classCount - 1
    }

    public func site(_ number: Int) -> LockSite { classes[number].site }

    /// Where a lock of `to` was first taken while one of `from` was held.
    public func trace(from: Int, to: Int) -> StackTrace {
        for index in 0..<edgeCount where edges[index].from == from && edges[index].to == to {
            return edges[index].trace
        }
        return StackTrace()
    }

    /// Where a lock of the class was first taken so; `usage` is a single one.
    public func trace(_ number: Int, _ usage: LockUsage) -> StackTrace {
        classes[number].usageTraces[usage.index]
    }

    /// Where locks of the class were first nested.
    public func nestingTrace(_ number: Int) -> StackTrace { classes[number].nestingTrace }

    /// Says once that something did not fit.
    public mutating func noRoom(_ finding: inout LockFinding) {
        if !saidFull { finding.problem = .full }
        saidFull = true
    }

    // MARK: Order

    /// Whether a lock of `to` has been taken while one of `from` was held.
    @inline(__always)
    public func hasEdge(from: Int, to: Int) -> Bool {
        after[from * Self.wordsPerClass + to >> 6] >> UInt64(to & 63) & 1 != 0
    }

    /// A lock of `to` is about to be taken while one of `from`, another class, is held.
    public mutating func addEdge(from: Int, to: Int, _ trace: StackTrace, _ finding: inout LockFinding) {
        if hasEdge(from: from, to: to) { return }
        guard edgeCount < Self.edgeLimit else { return noRoom(&finding) }
        edges[edgeCount].from = UInt16(truncatingIfNeeded: from)
        edges[edgeCount].to = UInt16(truncatingIfNeeded: to)
        edges[edgeCount].trace = trace
        edgeCount += 1
        var path = LockPath()
        let isCircle = findPath(from: to, to: .number(from), &path)
        after[from * Self.wordsPerClass + to >> 6] |= 1 << UInt64(to & 63)
        before[to * Self.wordsPerClass + from >> 6] |= 1 << UInt64(from & 63)
        if isCircle {
            finding.problem = .cycle
            finding.path = path
        } else if !interruptedAcross(from, to, .inHardInterrupt, &finding) {
            _ = interruptedAcross(from, to, .inSoftInterrupt, &finding)
        }
    }

    /// A second lock of one class is about to be taken inside the first.
    public mutating func nest(
        _ number: Int, upwards: Bool, _ trace: StackTrace, _ finding: inout LockFinding
    ) {
        if upwards ? classes[number].nestsUpwards : classes[number].nestsDownwards { return }
        if upwards { classes[number].nestsUpwards = true } else { classes[number].nestsDownwards = true }
        if classes[number].nestsUpwards && classes[number].nestsDownwards {
            finding.problem = .bothOrders
            finding.number = number
        } else {
            classes[number].nestingTrace = trace
        }
    }

    // MARK: Interrupts

    /// A lock of the class is taken in the ways of `usage`.
    public mutating func use(
        _ number: Int, _ usage: LockUsage, _ trace: StackTrace, _ finding: inout LockFinding
    ) {
        let news = usage.subtracting(classes[number].usage)
        if news.isEmpty { return }
        classes[number].usage.formUnion(news)
        for index in 0..<4 {
            let single = LockUsage(rawValue: 1 << UInt8(index))
            guard news.contains(single) else { continue }
            classes[number].usageTraces[index] = trace
            if finding.problem == .none { conflict(number, single, &finding) }
        }
    }

    /// What the new usage of a class goes ill with.
    private mutating func conflict(_ number: Int, _ usage: LockUsage, _ finding: inout LockFinding) {
        let opposite = usage.opposite
        let inside = usage.rawValue < 4 ? usage : opposite
        if classes[number].usage.contains(opposite) {
            finding.problem = .interrupted
            finding.number = number
        } else if findPath(
            from: number, backwards: usage != inside, to: .usage(opposite), &finding.path)
        {
            finding.problem = .interruptedBehind
        }
        finding.usage = inside
    }

    /// Whether the new edge lets a lock that an interrupt takes wait for one whose holder that interrupt can delay.
    private mutating func interruptedAcross(
        _ from: Int, _ to: Int, _ inside: LockUsage, _ finding: inout LockFinding
    ) -> Bool {
        var rest = LockPath()
        guard findPath(from: from, backwards: true, to: .usage(inside), &finding.path),
            findPath(from: to, to: .usage(inside.opposite), &rest)
        else { return false }
        for index in 0..<rest.count { finding.path.append(rest[index]) }
        finding.problem = .interruptedBehind
        finding.usage = inside
        return true
    }
}
