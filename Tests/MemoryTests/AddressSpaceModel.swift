// A simple model of an address space, page by page, to compare the real one with.

import Machine

@testable import Memory

/// A file or shared memory: the first word of each page.
final class ModelObject {
    let object: PagedObject
    var values: [Int: UInt64] = [:]
    init(pages: Int) { object = PagedObject(pageCount: pages) }
}

/// What one page of a program is.
struct ModelPage {
    var protection: Protection
    var isShared: Bool
    var object: ModelObject?
    var index = 0
    /// The private copy's first word.
    var own: UInt64?
    var isWiped = false
    var isNotForked = false

    /// What the program reads; nil when it must not, or where the file has ended.
    var value: UInt64? {
        guard !protection.isEmpty else { return nil }
        if let own { return own }
        guard let object else { return 0 }
        return index < object.object.pageCount ? object.values[index] ?? 0 : nil
    }
}

/// A program's memory, and the model of it.
struct ModelSpace {
    let space: AddressSpace
    var pages: [UInt: ModelPage] = [:]

    func isFree(_ start: UInt, _ count: Int) -> Bool {
        (0..<UInt(count)).allSatisfy { pages[start + $0] == nil }
    }
}
