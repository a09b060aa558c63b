// Process numbers: which are in use and what each stands for. A number stays in use as long as a
// thread, a process, a process group or a session has it.
//
// Two levels of arrays, the second made when first needed; a bitmap to find a free number. Look-up is
// constant time; allocation goes on from the last number given, so that numbers are not reused soon.
// A plain value; `ProcessTable` holds it under its lock.

/// What one number stands for. The table owns these objects.
struct PidEntry {
    var task: LinuxTask?
    var process: Process?
    var group: ProcessGroup?
    var session: Session?

    var isEmpty: Bool { task == nil && process == nil && group == nil && session == nil }
}

struct PidTable: ~Copyable {
    /// Numbers are below this (`/proc/sys/kernel/pid_max`).
    static let limit = 32768
    /// After the last number allocation begins here again, as in Linux.
    private static let afterWrap = 300
    private static let chunkSize = 64

    // On the heap: too large for a kernel stack, through which values pass.
    private var chunks = [[PidEntry]](repeating: [], count: limit / chunkSize)
    private var used = [UInt64](repeating: 0, count: limit / chunkSize)
    private(set) var lastGiven = 0
    private(set) var count = 0

    init() { used[0] = 1 }

    /// A number not in use; nil when all are.
    mutating func allocate() -> Int32? {
        let number = free(in: lastGiven + 1..<Self.limit) ?? free(in: Self.afterWrap..<lastGiven + 1)
        guard let number else { return nil }
        lastGiven = number
        return take(number)
    }

    private mutating func take(_ number: Int) -> Int32 {
        used[number >> 6] |= 1 << UInt64(number & 63)
        count += 1
        if chunks[number >> 6].isEmpty {
            chunks[number >> 6] = [PidEntry](repeating: PidEntry(), count: Self.chunkSize)
        }
        return Int32(number)
    }

    private func free(in range: Range<Int>) -> Int? {
        var number = range.lowerBound
        while number < range.upperBound {
            let free = ~used[number >> 6] & (UInt64.max << UInt64(number & 63))
            if free != 0 {
                let found = number & ~63 + free.trailingZeroBitCount
                return found < range.upperBound ? found : nil
            }
            number = number & ~63 + 64
        }
        return nil
    }

    private func index(_ number: Int32) -> Int? {
        guard number > 0, number < Int32(Self.limit) else { return nil }
        let index = Int(number)
        return used[index >> 6] & (1 << UInt64(index & 63)) != 0 ? index : nil
    }

    func task(_ number: Int32) -> LinuxTask? {
        guard let index = index(number) else { return nil }
        return chunks[index >> 6][index & 63].task
    }

    func process(_ number: Int32) -> Process? {
        guard let index = index(number) else { return nil }
        return chunks[index >> 6][index & 63].process
    }

    func group(_ number: Int32) -> ProcessGroup? {
        guard let index = index(number) else { return nil }
        return chunks[index >> 6][index & 63].group
    }

    func session(_ number: Int32) -> Session? {
        guard let index = index(number) else { return nil }
        return chunks[index >> 6][index & 63].session
    }

    /// Changes what a number in use stands for; a number that stands for nothing any more is free.
    mutating func update(_ number: Int32, _ change: (inout PidEntry) -> Void) {
        guard let index = index(number) else { return }
        change(&chunks[index >> 6][index & 63])
        if chunks[index >> 6][index & 63].isEmpty { release(index) }
    }

    private mutating func release(_ index: Int) {
        used[index >> 6] &= ~(1 << UInt64(index & 63))
        count -= 1
    }

    /// Gives back a number that was allocated and never stood for anything.
    mutating func cancel(_ number: Int32) {
        guard let index = index(number) else { return }
        release(index)
    }

    /// The lowest number from `number` up that is in use.
    func next(from number: Int32) -> Int32? {
        var index = max(Int(number), 1)
        while index < Self.limit {
            let bits = used[index >> 6] & (UInt64.max << UInt64(index & 63))
            if bits != 0 { return Int32(index & ~63 + bits.trailingZeroBitCount) }
            index = index & ~63 + 64
        }
        return nil
    }
}
