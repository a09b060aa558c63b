// Searching the lock graph, breadth first, so that what is found is a shortest path.

extension LockGraph {
    enum Goal {
        case number(Int)
        case usage(LockUsage)
    }

    private func meets(_ number: Int, _ goal: Goal) -> Bool {
        switch goal {
        case .number(let wanted): number == wanted
        case .usage(let usage): classes[number].usage.contains(usage)
        }
    }

    /// The way from `start` to the nearest class that meets `goal`, which may be `start` itself, if there is one; along the edges, or
    /// against them. The path is in the edges' direction either way.
    mutating func findPath(
        from start: Int, backwards: Bool = false, to goal: Goal, _ path: inout LockPath
    ) -> Bool {
        path.removeAll()
        for index in 0..<classCount { reachedFrom[index] = 0 }
        // Its own parent: where a chain of parents ends.
        reachedFrom[start] = UInt16(truncatingIfNeeded: start + 1)
        waiting[0] = UInt16(truncatingIfNeeded: start)
        var first = 0
        var end = 1
        while first < end {
            let number = Int(waiting[first])
            first += 1
            if meets(number, goal) {
                follow(to: number, &path)
                if !backwards { path.reverse() }
                return true
            }
            for word in 0..<Self.wordsPerClass {
                let place = number * Self.wordsPerClass + word
                var neighbours = backwards ? before[place] : after[place]
                while neighbours != 0 {
                    let next = word * 64 + neighbours.trailingZeroBitCount
                    neighbours &= neighbours - 1
                    guard reachedFrom[next] == 0 else { continue }
                    reachedFrom[next] = UInt16(truncatingIfNeeded: number + 1)
                    waiting[end] = UInt16(truncatingIfNeeded: next)
                    end += 1
                }
            }
        }
        return false
    }

    private func follow(to end: Int, _ path: inout LockPath) {
        var number = end
        while true {
            path.append(number)
            let parent = Int(reachedFrom[number]) - 1
            if parent == number { return }
            number = parent
        }
    }
}
