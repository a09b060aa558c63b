import Primitives
import Testing

@testable import Linux

@Suite struct FilesRamdiskTests {
    private func populate(_ desk: FileDesk, _ bytes: [UInt8]) -> ArchiveError? {
        do throws(ArchiveError) {
            try unsafe bytes.span.withUnsafeBytes { (input) throws(ArchiveError) in
                _ = try unsafe RootFileSystem.populate(fromRamdisk: input, desk.root, .forTests)
            }
            return nil
        } catch { return error }
    }

    private func contents(_ desk: FileDesk, _ name: String) throws -> String {
        String(decoding: try FileDesk.read(try desk.open(name), 1 << 20, at: 0), as: UTF8.self)
    }

    @Test func allKindsOfFiles() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let archive =
                Sample.cpio(".", mode: 0o40750) + Sample.cpio("d", mode: 0o41777, userID: 5)
                + Sample.cpio("d/f", mode: 0o104755, [UInt8]("text".utf8), userID: 7)
                + Sample.cpio("/d/abs", mode: 0o100644, [UInt8]("abs".utf8))
                + Sample.cpio("./d/dot", mode: 0o100644, [UInt8]("dot".utf8))
                + Sample.cpio("l", mode: 0o120777, [UInt8]("d/f".utf8))
                + Sample.cpio("null", mode: 0o20666, device: (1, 3)) + Sample.cpio("pipe", mode: 0o10600)
                + Sample.cpio("no/such/dir/x", mode: 0o100600, [UInt8]("x".utf8)) + Sample.trailer
            #expect(populate(desk, archive) == nil)
            #expect(desk.root.inode.permissions == 0o750)
            #expect(try contents(desk, "/l") == "text")
            #expect(try contents(desk, "/d/abs") == "abs")
            #expect(try contents(desk, "/d/dot") == "dot")
            #expect(try contents(desk, "/no/such/dir/x") == "x")
            let file = try desk.find("/d/f").inode
            #expect(file.permissions == 0o4755 && file.userID == 7)
            #expect(file.modificationTime == 1_000_000_000_000_000_000)
            let directory = try desk.find("/d").inode
            #expect(directory.permissions == 0o1777 && directory.userID == 5)
            #expect(directory.modificationTime == 1_000_000_000_000_000_000)
            let node = try desk.find("/null").inode
            #expect(node.kind == .characterDevice && node.deviceNumber == DeviceNumber(major: 1, minor: 3))
            #expect(try desk.find("/pipe").inode.kind == .fifo)
            #expect(try desk.find("/no/such").inode.permissions == 0o755)
        }
    }

    @Test func hardLinks() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            // As cpio writes them: the bytes come with the last name.
            let archive =
                Sample.cpio("a", mode: 0o100644, inode: 9, links: 3)
                + Sample.cpio("b", mode: 0o100644, inode: 9, links: 3)
                + Sample.cpio("other", mode: 0o100644, [1], inode: 73, links: 2)
                + Sample.cpio("c", mode: 0o100644, [UInt8]("data".utf8), inode: 9, links: 3) + Sample.trailer
            // A number means nothing in the next archive.
            let next =
                Sample.cpio("z", mode: 0o100644, [UInt8]("zz".utf8), inode: 9, links: 3) + Sample.trailer
            #expect(populate(desk, archive + next) == nil)
            #expect(try contents(desk, "/a") == "data")
            #expect(try contents(desk, "/b") == "data")
            #expect(try contents(desk, "/z") == "zz")
            #expect(try desk.find("/a").inode.links == 3)
        }
    }

    @Test func laterEntriesReplaceEarlierOnes() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let first =
                Sample.cpio("d", mode: 0o40755) + Sample.cpio("d/x", mode: 0o100644, [1])
                + Sample.cpio("f", mode: 0o100644, [UInt8]("longer".utf8))
                + Sample.cpio("n", mode: 0o120777, [97])
                + Sample.trailer
            let second =
                Sample.cpio("d", mode: 0o40700) + Sample.cpio("f", mode: 0o100600, [UInt8]("new".utf8))
                + Sample.cpio("n", mode: 0o40755) + Sample.trailer
            #expect(populate(desk, first + (try Sample.gzip(second))) == nil)
            #expect(try contents(desk, "/f") == "new")
            #expect(desk.exists("/d/x"))
            #expect(try desk.find("/d").inode.permissions == 0o700)
            #expect(try desk.find("/n", []).inode.kind == .directory)
        }
    }

    @Test func largeFiles() throws {
        try FileDesk.run(pageLimit: 4000) { (desk: inout FileDesk) throws in
            let bytes = Sample.mixed(3_000_001, seed: 5)
            let archive =
                Sample.cpio("pad", mode: 0o100644, [1, 2, 3]) + Sample.cpio("big", mode: 0o100755, bytes)
                + Sample.trailer
            #expect(populate(desk, try Sample.gzip(archive)) == nil)
            #expect(try FileDesk.read(try desk.open("/big"), 4_000_000, at: 0) == bytes)
        }
    }

    @Test func whatDoesNotFit() throws {
        try FileDesk.run(pageLimit: 10) { (desk: inout FileDesk) throws in
            let archive = Sample.cpio("big", mode: 0o100755, Sample.mixed(100_000, seed: 5)) + Sample.trailer
            let error = populate(desk, archive)
            #expect(error?.reason == .storage)
        }
    }

    @Test func messages() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let archive = Sample.cpio("f", mode: 0o100644, [1]) + Sample.trailer
            let error = populate(desk, [UInt8](archive[..<150]))
            let message = error?.message ?? ""
            let text = String(decoding: (0..<message.count).map { message[$0] }, as: UTF8.self)
            #expect(
                text == "initial ramdisk is truncated or corrupt: cpio archive ends too early at byte 150")
        }
    }

    @Test func noiseNeverHarms() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let archive =
                Sample.cpio("d", mode: 0o40755)
                + Sample.cpio("d/f", mode: 0o100644, [1, 2, 3], inode: 4, links: 2)
                + Sample.cpio("g", mode: 0o100644, inode: 4, links: 2)
                + Sample.cpio("l", mode: 0o120777, [97, 98])
                + Sample.trailer
            var random = SeededGenerator(10)
            for _ in 0..<3000 {
                var noisy = archive
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let index = Int.random(in: 0..<noisy.count, using: &random)
                    noisy[index] = [48, 49, 54, 70, 47, 46, 0, 97].randomElement(using: &random)!
                }
                _ = populate(desk, noisy)
            }
        }
    }
}
