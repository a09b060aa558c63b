// Opening a FIFO (fifo(7)): who reads waits for somebody who writes, and the other way round.

import Primitives

extension Inode {
    final func openFIFO(_ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext) throws(Errno)
        -> File
    {
        guard let pipe else { throw .noSuchDevice }
        guard flags.accessMode != 3 else { throw .invalid }
        let reads = flags.accessMode != 1
        let writes = flags.accessMode != 0
        let isNonBlocking = flags.contains(.nonBlocking)
        while true {
            pipe.discardIfStale(task)
            if writes, !reads, isNonBlocking, !pipe.hasReaders { throw .noSuchDevice }
            guard let opening = pipe.open(reads: reads, writes: writes) else { continue }
            let file = PipeFile(pipe, self, path, flags, opening)
            if reads, writes { return file }
            let isAlone = reads ? !opening.hadWriters : !opening.hadReaders
            if isAlone, !isNonBlocking { try pipe.waitForOther(reads: reads, since: opening, task) }
            return file
        }
    }
}
