// The bytes in a pipe: a ring of pages that come when they are written to and go when the pipe is empty.
//
// Invariants: read <= written <= read + capacity; byte n lies in page (n / 4096) modulo the number of pages, which is a
// power of two. An empty ring begins again at its first page, so that a pipe with little in it uses one page.

import Memory
import Primitives

/// A ring of bytes. Guarded by its pipe's mutex.
struct PipeRing: ~Copyable {
    /// Frame numbers, 0 where there is none yet.
    private var frames: [UInt32]
    private var read = 0
    private var written = 0

    /// A ring of `pages` pages, a power of two.
    init(pages: Int) { frames = [UInt32](repeating: 0, count: pages) }

    deinit { for number in frames where number != 0 { Frames.free(Frame(number)) } }

    var capacity: Int { frames.count << 12 }
    var count: Int { written &- read }
    var room: Int { capacity &- count }

    @inline(__always)
    private func slot(_ position: Int) -> Int { position >> 12 & (frames.count &- 1) }

    /// Puts bytes of `buffer` in, as many as there is room for; returns how many.
    mutating func fill(from buffer: inout IOBuffer, _ task: borrowing TaskContext) throws(Errno) -> Int {
        var left = min(room, buffer.remaining)
        var done = 0
        while left > 0 {
            let offset = written & 4095
            let count = min(4096 &- offset, left)
            let copied: Int
            do throws(Errno) {
                copied = try buffer.take(into: try frame(slot(written)), offset, count, task)
            } catch {
                guard done > 0 else { throw error }
                break
            }
            written &+= copied
            done &+= copied
            left &-= copied
            if copied < count { break }
        }
        return done
    }

    /// The frame of a slot, made if need be.
    @inline(__always)
    private mutating func frame(_ slot: Int) throws(Errno) -> Frame {
        let number = frames[slot]
        if number != 0 { return Frame(number) }
        guard let frame = Frames.allocate(use: .user) else { throw .noMemory }
        frames[slot] = frame.number
        return frame
    }

    /// Takes bytes out into `buffer`, as many as there are; returns how many.
    mutating func drain(into buffer: inout IOBuffer, _ task: borrowing TaskContext) throws(Errno) -> Int {
        var left = min(count, buffer.remaining)
        var done = 0
        while left > 0 {
            let offset = read & 4095
            let count = min(4096 &- offset, left)
            let copied: Int
            do throws(Errno) {
                copied = try buffer.put(Frame(frames[slot(read)]), offset, count, task)
            } catch {
                guard done > 0 else { throw error }
                break
            }
            read &+= copied
            done &+= copied
            left &-= copied
            if copied < count { break }
        }
        if read == written { becameEmpty() }
        return done
    }

    @inline(__always)
    private mutating func becameEmpty() {
        // All in the first page since it was last empty: nothing else to give back.
        if written > 4096 { releaseAllButFirst() }
        read = 0
        written = 0
    }

    private mutating func releaseAllButFirst() {
        for slot in 1..<frames.count where frames[slot] != 0 {
            Frames.free(Frame(frames[slot]))
            frames[slot] = 0
        }
    }

    /// Throws the contents away.
    mutating func discard() {
        if written > 0, frames.count > 1 { releaseAllButFirst() }
        read = 0
        written = 0
    }

    /// Changes the number of pages, a power of two; EBUSY if the contents do not fit.
    mutating func resize(pages: Int) throws(Errno) {
        guard pages != frames.count else { return }
        let first = read >> 12
        let used = count == 0 ? 0 : (written &- 1) >> 12 &- first &+ 1
        guard used <= pages, count <= pages << 12 else { throw .busy }
        // A ring so full that its end lies in the page it begins in keeps that page.
        guard used <= frames.count else { throw .busy }
        var new = [UInt32](repeating: 0, count: pages)
        for index in 0..<used {
            new[index] = frames[slot((first &+ index) << 12)]
            frames[slot((first &+ index) << 12)] = 0
        }
        for number in frames where number != 0 { Frames.free(Frame(number)) }
        frames = new
        let length = count
        read &= 4095
        written = read &+ length
    }
}
