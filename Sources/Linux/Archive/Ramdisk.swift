// The form of an initial ramdisk: cpio archives one after the other, each plain or within a gzip member, with
// zeros between them (Documentation/driver-api/early-userspace/buffer-format.rst).

import Primitives

enum Ramdisk {
    /// Reads all archives; `receiver` gets their entries. Bytes count from the beginning of the ramdisk in errors.
    static func read(_ input: UnsafeRawBufferPointer, _ receiver: CpioReceiver, _ task: borrowing TaskContext)
        throws(ArchiveError)
    {
        var position = 0
        while position < input.count {
            if unsafe input[position] == 0 {
                position &+= 1
            } else if unsafe Gzip.begins(input, at: position) {
                position = try unsafe readMember(input, position, receiver, task)
            } else if unsafe input[position] == UInt8(ascii: "0"), position & 3 == 0 {
                position = try unsafe readPlain(input, position, receiver, task)
            } else {
                throw .corrupt("neither cpio nor gzip", at: position)
            }
        }
    }

    /// Reads one plain archive.
    private static func readPlain(
        _ input: UnsafeRawBufferPointer, _ start: Int, _ receiver: CpioReceiver, _ task: borrowing TaskContext
    ) throws(ArchiveError) -> Int {
        var reader = CpioReader(receiver)
        let count: Int
        do throws(CpioProblem) {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[start...])
            count = try unsafe reader.read(rest, untilArchiveEnds: true, task)
        } catch {
            throw ArchiveError(reason: error.reason, what: error.what, offset: start &+ reader.entryOffset)
        }
        guard reader.isComplete else { throw .corrupt("cpio archive ends too early", at: input.count) }
        return start &+ count
    }

    /// Reads the archives in one gzip member.
    private static func readMember(
        _ input: UnsafeRawBufferPointer, _ start: Int, _ receiver: CpioReceiver, _ task: borrowing TaskContext
    ) throws(ArchiveError) -> Int {
        var reader = CpioReader(receiver)
        let end = try unsafe Gzip.decompress(input, from: start) { (bytes, position) throws(ArchiveError) in
            do throws(CpioProblem) {
                _ = try unsafe reader.read(bytes, task)
            } catch {
                throw ArchiveError(reason: error.reason, what: error.what, offset: position)
            }
        }
        guard reader.isComplete else { throw .corrupt("cpio archive ends too early", at: end) }
        return end
    }
}
