// Opening a FIFO (fifo(7)): who reads waits for somebody who writes, and the other way round.

import Primitives

extension Inode {
    final func openFIFO(_ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext) throws(Errno)
        -> File
    {
        guard let pipe else { throw .noSuchDevice }
        pipe.discardIfStale(task)
        let reads = flags.accessMode != 1
        let writes = flags.accessMode != 0
        let isNonBlocking = flags.contains(.nonBlocking)
        if writes, !reads, isNonBlocking, !pipe.hasReaders { throw .noSuchDevice }
        let openings = pipe.openings(reads: reads)
        let file = PipeFile(pipe, self, path, flags)
        if reads, writes { return file }
        let isAlone = reads ? !pipe.hasWriters : !pipe.hasReaders
        if isAlone, !isNonBlocking { try pipe.waitForOther(reads: reads, since: openings, task) }
        return file
    }
}
