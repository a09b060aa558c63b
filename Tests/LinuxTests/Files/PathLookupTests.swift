import Primitives
import Testing

@testable import Linux

@Suite struct FilesPathLookupTests {
    /// /a/b/c (file), /a/link -> b, /a/abs -> /a/b, /loop -> loop, /dangling -> nowhere
    private func withTree(_ body: (inout FileDesk) throws -> Void) throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.mkdir("/a")
            _ = desk.mkdir("/a/b")
            _ = desk.touch("/a/b/c")
            _ = desk.symlink("b", "/a/link")
            _ = desk.symlink("/a/b", "/a/abs")
            _ = desk.symlink("loop", "/loop")
            _ = desk.symlink("nowhere", "/dangling")
            _ = desk.symlink("a/b/c", "/tofile")
            try body(&desk)
        }
    }

    @Test func plainNames() throws {
        try withTree { (desk: inout FileDesk) throws in
            #expect(try desk.find("/").entry === desk.root.entry)
            #expect(try desk.find("///").entry === desk.root.entry)
            let file = try desk.find("/a/b/c")
            #expect(file.inode.kind == .regular)
            for name in ["//a//b//c", "/a/./b/./c", "/a/b/../b/c", "/../../a/b/c", "a/b/c", "./a/b/c"] {
                #expect(try desk.find(name).entry === file.entry, "\(name)")
            }
            #expect(desk.error("") == .noSuchFile)
            #expect(desk.error("", .allowEmpty) == nil)
            #expect(desk.error("/x") == .noSuchFile)
            #expect(desk.error("/x/y") == .noSuchFile)
            #expect(desk.error("/a/b/c/d") == .notDirectory)
            #expect(desk.error("/a/b/c/") == .notDirectory)
            #expect(desk.error("/a/b/c/.") == .notDirectory)
            #expect(desk.error("/a/b/c/..") == .notDirectory)
            #expect(desk.error("/a/b/", .directory) == nil)
            #expect(desk.error("/a/b/c", .directory) == .notDirectory)
        }
    }

    @Test func symbolicLinks() throws {
        try withTree { (desk: inout FileDesk) throws in
            let file = try desk.find("/a/b/c")
            for name in ["/a/link/c", "/a/abs/c", "/a/link/../link/c", "/tofile", "/a/abs//c"] {
                #expect(try desk.find(name).entry === file.entry, "\(name)")
            }
            #expect(try desk.find("/a/link", []).inode.kind == .symbolicLink)
            #expect(try desk.find("/a/link/", []).inode.kind == .directory)
            #expect(desk.error("/tofile/") == .notDirectory)
            #expect(desk.error("/loop") == .symbolicLinkLoop)
            #expect(desk.error("/loop/x") == .symbolicLinkLoop)
            #expect(desk.error("/loop", []) == nil)
            #expect(desk.error("/dangling") == .noSuchFile)
            #expect(desk.error("/dangling", []) == nil)
            #expect(desk.error("/dangling/", []) == .noSuchFile)
        }
    }

    @Test func fortyLinksAreFollowed() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.touch("/0")
            for number in 1...41 { _ = desk.symlink("\(number - 1)", "/\(number)") }
            #expect(desk.error("/40") == nil)
            #expect(desk.error("/41") == .symbolicLinkLoop)
        }
    }

    @Test func lengths() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let longest = String(repeating: "x", count: 255)
            #expect(desk.mkdir("/" + longest) == nil)
            #expect(desk.exists("/" + longest))
            #expect(desk.mkdir("/" + longest + "x") == .nameTooLong)
            #expect(desk.error("/\(longest)x/y") == .nameTooLong)
        }
    }

    @Test func nobodyLeavesTheRootDirectory() throws {
        try withTree { (desk: inout FileDesk) throws in
            let inner = NameContext(
                root: try desk.find("/a"), start: try desk.find("/a/b"), credentials: Credentials(), umask: 0)
            let place = try Names.find(FileDesk.bytes("../../../.."), .follow, inner, .forTests)
            #expect(place.entry === inner.root.entry)
            // An absolute link begins at that root directory.
            #expect(throws: Errno.noSuchFile) {
                _ = try Names.find(FileDesk.bytes("/abs"), .follow, inner, .forTests)
            }
        }
    }

    @Test func searchPermission() throws {
        try withTree { (desk: inout FileDesk) throws in
            #expect(desk.mkdir("/secret", 0o700) == nil)
            #expect(desk.touch("/secret/x") == nil)
            desk.become(user: 1000)
            #expect(desk.error("/secret") == nil)
            #expect(desk.error("/secret/x") == .accessDenied)
            #expect(desk.error("/secret/.") == .accessDenied)
            #expect(desk.error("/secret/..") == .accessDenied)
        }
    }

    @Test func namesOfPlaces() throws {
        try withTree { (desk: inout FileDesk) throws in
            let file = try desk.find("/a/b/c")
            #expect(PathName.shown(file) == FileDesk.bytes("/a/b/c"))
            #expect(PathName.of(file, from: try desk.find("/a")) == FileDesk.bytes("/b/c"))
            #expect(PathName.of(desk.root, from: desk.root) == FileDesk.bytes("/"))
            #expect(PathName.of(try desk.find("/a/b"), from: try desk.find("/a/b")) == FileDesk.bytes("/"))
            #expect(PathName.of(desk.root, from: try desk.find("/a")) == FileDesk.bytes("(unreachable)/"))
            #expect(desk.unlink("/a/b/c") == nil)
            #expect(PathName.shown(file) == FileDesk.bytes("/a/b/c (deleted)"))
        }
    }

    @Test func deepTreesComeAndGo() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let depth = 20000
            let top = desk.start
            for _ in 0..<depth {
                #expect(desk.mkdir("d") == nil)
                desk.start = try desk.find("d")
            }
            for _ in 0..<depth {
                desk.start = try desk.find("..")
                #expect(desk.rmdir("d") == nil)
            }
            #expect(desk.start.entry === top.entry)
        }
    }
}
