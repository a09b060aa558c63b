// What a guest's console has said so far, and waiting for it to say something.

/// The growing text of a console. One task appends, others wait.
actor ConsoleText {
    private var bytes: [UInt8] = []
    private var hasEnded = false
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0

    /// Everything so far, without carriage returns.
    var text: String {
        String(decoding: bytes.filter { $0 != 13 }, as: UTF8.self)
    }

    var count: Int { bytes.count }

    func append(_ more: [UInt8]) {
        bytes += more
        wakeAll()
    }

    /// Nothing more will come.
    func end() {
        hasEnded = true
        wakeAll()
    }

    /// Waits until `pattern` has appeared at or after byte `start`; returns the offset after it, or
    /// nil when the console ended, or the task was cancelled, without it.
    func wait(for pattern: [UInt8], from start: Int) async -> Int? {
        var searched = start
        while true {
            if let found = Self.find(pattern, in: bytes, from: searched) { return found + pattern.count }
            if hasEnded || Task.isCancelled { return nil }
            searched = max(start, bytes.count - pattern.count + 1)
            await change()
        }
    }

    /// The text between two offsets, without carriage returns.
    func text(from start: Int, to end: Int) -> String {
        let range = min(start, bytes.count)..<min(max(start, end), bytes.count)
        return String(decoding: bytes[range].filter { $0 != 13 }, as: UTF8.self)
    }

    private func change() async {
        let waiter = nextWaiter
        nextWaiter += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { waiters[waiter] = continuation }
            }
        } onCancel: {
            Task { await self.wake(waiter) }
        }
    }

    private func wake(_ waiter: Int) {
        waiters.removeValue(forKey: waiter)?.resume()
    }

    private func wakeAll() {
        let woken = waiters.values
        waiters = [:]
        for waiter in woken { waiter.resume() }
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = pattern.first, bytes.count >= pattern.count else { return nil }
        var index = start
        let last = bytes.count - pattern.count
        while index <= last {
            if bytes[index] == first && bytes[index..<index + pattern.count].elementsEqual(pattern) {
                return index
            }
            index += 1
        }
        return nil
    }
}
