import Memory
import Primitives
import Testing

@testable import Linux

@Suite struct FilesRegularFileTests {
    @Test func openFlags() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.mkdir("/d")
            _ = desk.symlink("f", "/l")
            _ = desk.symlink("new", "/dangling")
            #expect(desk.openError("/f") == .noSuchFile)
            #expect(desk.openError("/f", [.create, .writeOnly]) == nil)
            #expect(desk.openError("/f", [.create, .exclusive]) == .exists)
            #expect(desk.openError("/l", [.create, .exclusive]) == .exists)
            #expect(desk.openError("/dangling", [.create, .exclusive]) == .exists)
            #expect(desk.openError("/l", .noFollow) == .symbolicLinkLoop)
            #expect(desk.openError("/l", [.noFollow, .create]) == .symbolicLinkLoop)
            #expect(desk.openError("/dangling") == .noSuchFile)
            #expect(desk.openError("/dangling", .create) == nil)
            #expect(desk.exists("/new"))
            #expect(desk.openError("/d", .writeOnly) == .isDirectory)
            #expect(desk.openError("/d", .create) == .isDirectory)
            #expect(desk.openError("/d/", [.create, .writeOnly]) == .isDirectory)
            #expect(desk.openError("/x/", [.create, .writeOnly]) == .isDirectory)
            #expect(desk.openError("/d/..", [.create]) == .isDirectory)
            #expect(desk.openError("/f", .directory) == .notDirectory)
            #expect(desk.openError("/f/", []) == .notDirectory)
            #expect(desk.openError("/d/none/x", .create) == .noSuchFile)
            #expect(try desk.open("/l", [.path, .noFollow]).inode.kind == .symbolicLink)
            // The permissions of a new file do not hold for who makes it.
            desk.become(user: 5)
            #expect(desk.openError("/n", [.create, .readWrite], 0) == .accessDenied)
            desk.become(user: 0)
            _ = desk.mkdir("/t", 0o777)
            desk.become(user: 5)
            #expect(desk.openError("/t/n", [.create, .readWrite], 0) == nil)
            #expect(desk.openError("/t/n", [.create, .readWrite], 0) == .accessDenied)
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            var random = SeededGenerator(1)
            var model: [UInt8] = []
            let file = try desk.open("/f", [.create, .readWrite])
            for _ in 0..<400 {
                let position = Int.random(in: 0...60000, using: &random)
                let count = Int.random(in: 0...20000, using: &random)
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                #expect(try FileDesk.write(file, bytes, at: position) == count)
                if count > 0, model.count < position + count {
                    model += [UInt8](repeating: 0, count: position + count - model.count)
                }
                model.replaceSubrange(position..<(position + count), with: bytes)
                if Int.random(in: 0..<8, using: &random) == 0 {
                    let size = Int.random(in: 0...80000, using: &random)
                    try file.inode.truncate(to: size, .forTests)
                    if size < model.count { model.removeLast(model.count - size) }
                    model += [UInt8](repeating: 0, count: size - model.count)
                }
                #expect(file.inode.size == model.count)
            }
            #expect(try FileDesk.read(file, 200_000, at: 0) == model)
            #expect(try FileDesk.read(file, 10, at: model.count).isEmpty)
            #expect(try FileDesk.read(file, 10, at: 1 << 40).isEmpty)
        }
    }

    @Test func positionsAndAppending() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let file = try desk.open("/f", [.create, .readWrite])
            #expect(try FileDesk.write(file, [1, 2, 3]) == 3)
            #expect(try FileDesk.write(file, [4, 5]) == 2)
            #expect(try file.seek(1, .start, .forTests) == 1)
            #expect(try FileDesk.read(file, 2) == [2, 3])
            #expect(try file.seek(-1, .end, .forTests) == 4)
            #expect(try FileDesk.read(file, 9) == [5])
            #expect(throws: Errno.invalid) { try file.seek(-9, .current, .forTests) }
            #expect(throws: Errno.invalid) { try file.seek(.max, .current, .forTests) }
            let appending = try desk.open("/f", [.writeOnly, .append])
            #expect(try FileDesk.write(appending, [6]) == 1)
            #expect(appending.position == 6)
            #expect(try FileDesk.write(file, [7], at: 0) == 1)
            #expect(try FileDesk.read(file, 9, at: 0) == [7, 2, 3, 4, 5, 6])
            _ = try desk.open("/f", [.writeOnly, .truncate])
            #expect(file.inode.size == 0)
        }
    }

    @Test func holes() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let file = try desk.open("/f", [.create, .readWrite])
            _ = try FileDesk.write(file, [1], at: 10 * 4096)
            _ = try FileDesk.write(file, [2], at: 20 * 4096 + 5)
            #expect(file.inode.blocks == 16)
            #expect(try file.seek(0, .data, .forTests) == 10 * 4096)
            #expect(try file.seek(10 * 4096 + 1, .data, .forTests) == 10 * 4096 + 1)
            #expect(try file.seek(10 * 4096, .hole, .forTests) == 11 * 4096)
            #expect(try file.seek(0, .hole, .forTests) == 0)
            #expect(try file.seek(20 * 4096, .hole, .forTests) == 20 * 4096 + 6)
            #expect(throws: Errno.noSuchDevice) { try file.seek(20 * 4096 + 6, .data, .forTests) }
            #expect(try FileDesk.read(file, 3, at: 10 * 4096 - 1) == [0, 1, 0])
            try file.allocate([.punchHole, .keepSize], 10 * 4096, 4096, .forTests)
            #expect(file.inode.blocks == 8)
            #expect(try FileDesk.read(file, 1, at: 10 * 4096) == [0])
            try file.allocate([.punchHole, .keepSize], 20 * 4096 + 5, 1, .forTests)
            #expect(try FileDesk.read(file, 1, at: 20 * 4096 + 5) == [0])
            try file.allocate([], 0, 3 * 4096, .forTests)
            #expect(file.inode.blocks == 32)
        }
    }

    @Test func sizeLimit() throws {
        try FileDesk.run(pageLimit: 10) { (desk: inout FileDesk) throws in
            let bytes = [UInt8](repeating: 7, count: 12 * 4096)
            let other = try desk.open("/g", [.create, .readWrite])
            do {
                let file = try desk.open("/f", [.create, .readWrite])
                #expect(try FileDesk.write(file, bytes) == 10 * 4096)
                #expect(throws: Errno.noSpace) { try FileDesk.write(file, bytes) }
                #expect(throws: Errno.noSpace) { try FileDesk.write(other, [1]) }
                try file.inode.truncate(to: 4096, .forTests)
                #expect(try FileDesk.write(other, [1]) == 1)
                #expect(desk.unlink("/f") == nil)
                // Still open: its page still counts.
                #expect(try FileDesk.write(other, bytes, at: 0) == 9 * 4096)
                #expect(try FileDesk.read(file, 1, at: 0) == [7])
            }
            #expect(try FileDesk.write(other, bytes, at: 0) == 10 * 4096)
        }
    }

    @Test func pagesComeBack() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            do {
                let warm = try desk.open("/warm", [.create, .readWrite])
                _ = try FileDesk.write(warm, [1])
            }
            _ = desk.unlink("/warm")
            let before = Frames.freeCount
            do {
                let file = try desk.open("/f", [.create, .readWrite])
                _ = try FileDesk.write(file, [UInt8](repeating: 1, count: 300_000))
                #expect(desk.unlink("/f") == nil)
                #expect(try FileDesk.read(file, 1, at: 299_999) == [1])
                #expect(before - Frames.freeCount >= 73)
            }
            // The heap may have kept a page or two for small objects.
            #expect(before - Frames.freeCount <= 2)
        }
    }

    @Test func writersAndPrograms() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let inode: Inode
            do {
                let file = try desk.open("/f", [.create, .writeOnly])
                inode = file.inode
                #expect(throws: Errno.textBusy) { try inode.beginExecuting() }
            }
            try inode.beginExecuting()
            #expect(desk.openError("/f", .writeOnly) == .textBusy)
            #expect(desk.openError("/f") == nil)
            inode.endExecuting()
            #expect(desk.openError("/f", .writeOnly) == nil)
        }
    }

    @Test func attributes() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            _ = desk.touch("/f", 0o4755)
            let path = try desk.find("/f")
            desk.become(user: 3)
            #expect(throws: Errno.notPermitted) {
                try Names.setPermissions(path, 0o777, desk.credentials, .forTests)
            }
            #expect(throws: Errno.notPermitted) {
                try Names.setOwners(path, user: 3, group: nil, desk.credentials, .forTests)
            }
            desk.become(user: 0)
            try Names.setOwners(path, user: 3, group: 4, desk.credentials, .forTests)
            #expect(path.inode.permissions == 0o755)
            desk.become(user: 3, group: 9)
            try Names.setPermissions(path, 0o2770, desk.credentials, .forTests)
            // Not a member of the file's group.
            #expect(path.inode.permissions == 0o770)
            try Names.setOwners(path, user: nil, group: 9, desk.credentials, .forTests)
            #expect(path.inode.groupID == 9)
            #expect(throws: Errno.notPermitted) {
                try Names.setOwners(path, user: nil, group: 10, desk.credentials, .forTests)
            }
            try Names.setTimes(path, access: 1, modification: 2, isNow: false, desk.credentials, .forTests)
            #expect(path.inode.accessTime == 1 && path.inode.modificationTime == 2)
            desk.become(user: 8)
            #expect(throws: Errno.notPermitted) {
                try Names.setTimes(
                    path, access: 1, modification: 2, isNow: false, desk.credentials, .forTests)
            }
            #expect(throws: Errno.accessDenied) {
                try Names.setTimes(path, access: 1, modification: 2, isNow: true, desk.credentials, .forTests)
            }
        }
    }
}
