import Primitives
import Testing

@testable import Linux

@Suite struct FilesDescriptorTableTests {
    private func file(_ desk: FileDesk) -> File { PathFile(desk.root.inode, nil, .path) }

    @Test func theLowestFreeOneIsTaken() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let table = DescriptorTable()
            let file = file(desk)
            for expected in 0..<Int32(300) {
                #expect(try table.insert(file, limit: 1024, closeOnExec: false) == expected)
            }
            for closed in [Int32(299), 5, 64, 127, 63, 200] { _ = try table.remove(closed) }
            for expected in [Int32(5), 63, 64, 127, 200, 299, 300] {
                #expect(try table.insert(file, limit: 1024, closeOnExec: false) == expected)
            }
            #expect(try table.insert(file, from: 1000, limit: 1024, closeOnExec: false) == 1000)
            #expect(try table.insert(file, from: 1000, limit: 1024, closeOnExec: false) == 1001)
            #expect(try table.insert(file, limit: 1024, closeOnExec: false) == 301)
            #expect(throws: Errno.tooManyOpenFiles) {
                try table.insert(file, from: 1024, limit: 1024, closeOnExec: false)
            }
            #expect(throws: Errno.badFileDescriptor) { try table.file(-1) }
            #expect(throws: Errno.badFileDescriptor) { try table.file(302) }
            #expect(throws: Errno.badFileDescriptor) { try table.file(.max) }
            #expect(throws: Errno.badFileDescriptor) { try table.remove(302) }
        }
    }

    /// Against a model: a plain array.
    @Test(arguments: 1...5)
    func likeAnArray(seed: UInt64) throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            var random = SeededGenerator(seed)
            let table = DescriptorTable()
            let file = file(desk)
            let limit = 9000
            var model = [Bool](repeating: false, count: limit)
            for _ in 0..<6000 {
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1:
                    let from =
                        Int.random(in: 0..<10, using: &random) == 0
                        ? Int.random(in: 0..<limit, using: &random) : 0
                    let expected = model[from...].firstIndex(of: false)
                    let got = try? table.insert(file, from: Int32(from), limit: limit, closeOnExec: false)
                    #expect(got == expected.map { Int32($0) })
                    if let expected { model[expected] = true }
                case 2:
                    let index = Int.random(in: 0..<limit, using: &random)
                    let old = try table.replace(Int32(index), with: file, limit: limit, closeOnExec: true)
                    #expect((old != nil) == model[index])
                    model[index] = true
                default:
                    let index = Int.random(in: 0..<(limit / 10), using: &random)
                    #expect(((try? table.remove(Int32(index))) != nil) == model[index])
                    model[index] = false
                }
            }
            for index in 0..<limit { #expect(((try? table.file(Int32(index))) != nil) == model[index]) }
            let copy = DescriptorTable(copying: table)
            var next: Int32 = 0
            var count = 0
            while let (descriptor, _) = copy.next(from: next) {
                #expect(model[Int(descriptor)])
                count += 1
                next = descriptor + 1
            }
            #expect(count == model.count { $0 })
        }
    }

    @Test func closingOnExec() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let table = DescriptorTable()
            for index in 0..<100 {
                _ = try table.insert(file(desk), limit: 1024, closeOnExec: index % 3 == 0)
            }
            try table.setClosesOnExec(1, true)
            try table.setClosesOnExec(3, false)
            #expect(try table.closesOnExec(1))
            #expect(try !table.closesOnExec(3))
            var next: Int32 = 0
            var closed: [Int32] = []
            while let (descriptor, _) = table.removeNextClosingOnExec(from: next) {
                closed.append(descriptor)
                next = descriptor + 1
            }
            #expect(closed == [0, 1, 6] + stride(from: Int32(9), to: 100, by: 3))
            #expect(throws: Errno.badFileDescriptor) { try table.file(6) }
        }
    }

    @Test func reserved() throws {
        try FileDesk.run { (desk: inout FileDesk) throws in
            let table = DescriptorTable()
            let reserved = try table.reserve(limit: 10, closeOnExec: false)
            #expect(throws: Errno.badFileDescriptor) { try table.file(reserved) }
            #expect(throws: Errno.busy) {
                _ = try table.replace(reserved, with: file(desk), limit: 10, closeOnExec: false)
            }
            #expect(try table.insert(file(desk), limit: 10, closeOnExec: false) == 1)
            table.cancel(reserved)
            #expect(try table.insert(file(desk), limit: 10, closeOnExec: false) == 0)
        }
    }
}
