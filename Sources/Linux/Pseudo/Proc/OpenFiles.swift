// How many open file descriptions there are, for /proc/sys/fs/file-nr.

import Primitives

enum OpenFiles {
    /// Those that descriptors refer to, each once. Linear in descriptors; for the curious only.
    static var count: Int {
        var seen: [UInt] = []
        ProcessTable.forEachTask { task in
            // Threads share: the first one's descriptors stand for all.
            guard task.identifier == task.process.identifier else { return }
            let files = task.lock.withLock { _ in task.files }
            var next: Int32 = 0
            while let (descriptor, file) = files.next(from: next) {
                seen.append(UInt(bitPattern: ObjectIdentifier(file)))
                next = descriptor + 1
            }
        }
        seen.sort()
        var count = 0
        for index in seen.indices where index == 0 || seen[index] != seen[index - 1] { count += 1 }
        return count
    }
}
