import Primitives
import Testing

@testable import Linux

@Suite struct FilesDirectoryTests {
    @Test func makingAndRemoving() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            #expect(desk.mkdir("/d") == nil)
            #expect(desk.mkdir("/d") == .exists)
            #expect(desk.mkdir("/d/e/") == nil)
            #expect(desk.mkdir("/x/y") == .noSuchFile)
            #expect(desk.mkdir("/") == .exists)
            #expect(desk.mkdir("/d/.") == .exists)
            #expect(desk.touch("/d/f") == nil)
            #expect(desk.mkdir("/d/f") == .exists)
            #expect(desk.mkdir("/d/f/g") == .notDirectory)
            #expect(desk.rmdir("/d") == .notEmpty)
            #expect(desk.rmdir("/d/f") == .notDirectory)
            #expect(desk.rmdir("/d/e/.") == .invalid)
            #expect(desk.rmdir("/d/e/..") == .notEmpty)
            #expect(desk.rmdir("/") == .busy)
            #expect(desk.unlink("/d/e") == .isDirectory)
            #expect(desk.unlink("/d/e/") == .isDirectory)
            #expect(desk.unlink("/d/f/") == .notDirectory)
            #expect(desk.unlink("/d/f") == nil)
            #expect(desk.unlink("/d/f") == .noSuchFile)
            #expect(desk.rmdir("/d/e/") == nil)
            #expect(desk.rmdir("/d") == nil)
            #expect(!desk.exists("/d"))
        }
    }

    @Test func linkCounts() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let root = desk.root.inode
            #expect(root.links == 2)
            _ = desk.mkdir("/a")
            _ = desk.mkdir("/a/b")
            _ = desk.mkdir("/c")
            #expect(root.links == 4)
            #expect(try desk.find("/a").inode.links == 3)
            #expect(desk.rename("/a/b", "/c/b") == nil)
            #expect(try desk.find("/a").inode.links == 2)
            #expect(try desk.find("/c").inode.links == 3)
            let gone = try desk.find("/c/b").inode
            #expect(desk.rmdir("/c/b") == nil)
            #expect(gone.links == 0)
            _ = desk.touch("/f")
            #expect(desk.link("/f", "/g") == nil)
            #expect(try desk.find("/f").inode === desk.find("/g").inode)
            #expect(try desk.find("/f").inode.links == 2)
            #expect(desk.link("/f", "/g") == .exists)
            #expect(desk.link("/a", "/h") == .notPermitted)
            #expect(desk.link("/f", "/h/") == .noSuchFile)
            #expect(desk.unlink("/f") == nil)
            #expect(try desk.find("/g").inode.links == 1)
        }
    }

    @Test func aRemovedDirectoryTakesNoEntries() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.mkdir("/d")
            desk.start = try desk.find("/d")
            #expect(desk.rmdir("/d") == nil)
            #expect(desk.touch("x") == .noSuchFile)
            #expect(desk.mkdir("x") == .noSuchFile)
            #expect(throws: Errno.noSuchFile) { _ = try desk.list(".") }
        }
    }

    @Test func listing() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            #expect(try desk.list("/") == [".", ".."])
            for name in ["b", "a", "c"] { _ = desk.touch("/" + name) }
            #expect(try desk.list("/") == [".", "..", "b", "a", "c"])
            #expect(try desk.list("/", bufferSize: 24) == [".", "..", "b", "a", "c"])
            _ = desk.unlink("/a")
            #expect(try desk.list("/") == [".", "..", "b", "c"])
        }
    }

    @Test func manyEntries() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let count = 30000
            _ = desk.mkdir("/big")
            for number in 0..<count { #expect(desk.touch("/big/file-\(number)") == nil) }
            #expect(Set(try desk.list("/big", bufferSize: 32768)).count == count + 2)
            for number in stride(from: 0, to: count, by: 3) {
                #expect(desk.unlink("/big/file-\(number)") == nil)
            }
            for number in 0..<count { #expect(desk.exists("/big/file-\(number)") == (number % 3 != 0)) }
            for number in 0..<count where number % 3 != 0 { _ = desk.unlink("/big/file-\(number)") }
            #expect(desk.rmdir("/big") == nil)
        }
    }

    /// What is there all the time is listed exactly once, whatever comes and goes.
    @Test func listingWhileOthersRemove() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            for number in 0..<500 { _ = desk.touch("/\(number)") }
            let file = try desk.open("/", .directory)
            var seen: [String] = []
            var round = 0
            while true {
                var buffer = DirectoryBuffer(capacity: 256)
                try file.readDirectory(into: &buffer, .forTests)
                let batch = FileDesk.names(in: buffer.bytes)
                if batch.isEmpty { break }
                seen += batch
                for number in stride(from: round % 2, to: 500, by: 2) where number / 50 == round % 10 {
                    if number % 2 == 0 { _ = desk.unlink("/\(number)") }
                }
                round += 1
            }
            let odd = seen.filter { Int($0).map { $0 % 2 == 1 } ?? false }
            #expect(odd.count == 250)
            #expect(Set(odd).count == 250)
        }
    }

    @Test func renaming() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.mkdir("/d")
            _ = desk.mkdir("/d/e")
            _ = desk.touch("/f")
            _ = desk.touch("/g")
            let f = try desk.find("/f").inode
            let g = try desk.find("/g").inode
            #expect(desk.rename("/f", "/h") == nil)
            #expect(try desk.find("/h").inode === f)
            #expect(!desk.exists("/f"))
            #expect(desk.rename("/h", "/g") == nil)
            #expect(try desk.find("/g").inode === f)
            #expect(g.links == 0)
            #expect(desk.rename("/none", "/x") == .noSuchFile)
            #expect(desk.rename("/g", "/d") == .isDirectory)
            #expect(desk.rename("/d", "/g") == .notDirectory)
            #expect(desk.rename("/d", "/d/e/x") == .invalid)
            #expect(desk.rename("/d/e", "/d") == .notEmpty)
            #expect(desk.rename("/g", "/d/x/") == .notDirectory)
            #expect(desk.rename("/g/", "/x") == .notDirectory)
            #expect(desk.rename("/d/.", "/x") == .busy)
            #expect(desk.rename("/g", "/d/..") == .busy)
            #expect(desk.rename("/g", "/d/e/g") == nil)
            #expect(desk.exists("/d/e/g"))
            #expect(desk.rename("/d/e/", "/e2/") == nil)
            #expect(desk.exists("/e2/g"))
            #expect(PathName.shown(try desk.find("/e2/g")) == FileDesk.bytes("/e2/g"))
            _ = desk.mkdir("/empty")
            #expect(desk.rename("/empty", "/e2") == .notEmpty)
            #expect(desk.rename("/e2", "/empty") == nil)
            #expect(desk.exists("/empty/g"))
        }
    }

    @Test func renamingWithFlags() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.touch("/f")
            _ = desk.mkdir("/d")
            _ = desk.touch("/d/x")
            let f = try desk.find("/f").inode
            let d = try desk.find("/d").inode
            #expect(desk.rename("/f", "/d", .noReplace) == .exists)
            #expect(desk.rename("/f", "/n", .exchange) == .noSuchFile)
            #expect(desk.rename("/f", "/d", .exchange) == nil)
            #expect(try desk.find("/f").inode === d)
            #expect(try desk.find("/d").inode === f)
            #expect(desk.exists("/f/x"))
            #expect(desk.rename("/f", "/f/x", .exchange) == .invalid)
            #expect(desk.rename("/d", "/n", .noReplace) == nil)
            // Two names of one file: nothing happens.
            #expect(desk.link("/n", "/m") == nil)
            #expect(desk.rename("/n", "/m") == nil)
            #expect(desk.exists("/n") && desk.exists("/m"))
        }
    }

    @Test func permissions() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.mkdir("/tmp", 0o1777)
            _ = desk.mkdir("/priv", 0o755)
            _ = desk.touch("/priv/root")
            desk.become(user: 1000)
            #expect(desk.touch("/priv/x") == .accessDenied)
            #expect(desk.mkdir("/priv/root") == .exists)
            #expect(desk.unlink("/priv/root") == .accessDenied)
            #expect(desk.rename("/priv/root", "/tmp/x") == .accessDenied)
            #expect(desk.touch("/tmp/mine") == nil)
            #expect(desk.touch("/tmp/other") == nil)
            desk.become(user: 1001)
            // The sticky bit protects others' files.
            #expect(desk.unlink("/tmp/mine") == .notPermitted)
            #expect(desk.rename("/tmp/mine", "/tmp/y") == .notPermitted)
            #expect(desk.touch("/tmp/own") == nil)
            #expect(desk.rename("/tmp/own", "/tmp/mine") == .notPermitted)
            #expect(desk.openError("/tmp/mine", .writeOnly) == .accessDenied)
            #expect(desk.openError("/tmp/mine") == nil)
            desk.become(user: 0)
            #expect(desk.unlink("/tmp/mine") == nil)
        }
    }

    @Test func groupsAndUmask() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.mkdir("/shared", 0o2775)
            desk.umask = 0o027
            #expect(desk.mkdir("/shared/sub", 0o777) == nil)
            let sub = try desk.find("/shared/sub").inode
            #expect(sub.permissions == 0o2750)
            desk.become(user: 5, group: 50)
            _ = desk.mkdir("/none")
            desk.become(user: 0, group: 7)
            _ = desk.mkdir("/plain", 0o777)
            #expect(try desk.find("/plain").inode.groupID == 7)
            _ = desk.touch("/shared/file", 0o666)
            let file = try desk.find("/shared/file").inode
            #expect(file.groupID == 0)
            #expect(file.permissions == 0o640)
            desk.become(user: 9, group: 1, groups: [3, 0, 2])
            #expect(desk.openError("/shared/file") == nil)
            #expect(desk.openError("/shared/file", .writeOnly) == .accessDenied)
        }
    }

    @Test func nameLimit() throws {
        try FileDesk.run(nodeLimit: 4) { (desk: inout FileDesk) throws in
            #expect(desk.mkdir("/a") == nil)
            #expect(desk.touch("/b") == nil)
            #expect(desk.symlink("x", "/c") == nil)
            #expect(desk.touch("/d") == .noSpace)
            #expect(desk.link("/b", "/d") == .noSpace)
            #expect(desk.unlink("/b") == nil)
            #expect(desk.touch("/d") == nil)
        }
    }
}
