// A doubly linked list of objects whose links lie in the objects: constant-time insertion and removal,
// nothing allocated. The list does not own its elements: who puts an object in keeps it alive (the
// process table does) until it is taken out. The caller holds the lock that guards the list.

/// An object that can be in lists, one for each of its links.
protocol Linkable: AnyObject {
    /// Its link for the list of kind `kind`.
    subscript(link kind: LinkKind) -> ObjectLink<Self> { get set }
}

/// The lists of the process side.
enum LinkKind: UInt8 {
    /// Children of a process.
    case sibling
    /// Processes of a process group.
    case group
    /// Threads of a process.
    case thread
}

/// Neighbours in a list.
@safe struct ObjectLink<Element: AnyObject> {
    /// Both are in the same list, so their owner keeps them alive.
    fileprivate var next: Unmanaged<Element>?
    fileprivate var previous: Unmanaged<Element>?
    init() {
        unsafe next = nil
        unsafe previous = nil
    }
}

@safe struct ObjectList<Element: Linkable> {
    let kind: LinkKind
    private var head: Unmanaged<Element>?
    private var tail: Unmanaged<Element>?
    private(set) var count = 0

    init(_ kind: LinkKind) {
        self.kind = kind
        unsafe head = nil
        unsafe tail = nil
    }

    var isEmpty: Bool { count == 0 }

    // Each reference taken here is of an element of the list, alive as the file's opening says.
    var first: Element? { unsafe head?.takeUnretainedValue() }

    func next(after element: Element) -> Element? {
        unsafe element[link: kind].next?.takeUnretainedValue()
    }

    mutating func append(_ element: Element) {
        let entry = unsafe Unmanaged.passUnretained(element)
        unsafe element[link: kind].next = nil
        unsafe element[link: kind].previous = tail
        if let last = unsafe tail {
            unsafe last._withUnsafeGuaranteedRef { unsafe $0[link: kind].next = entry }
        } else {
            unsafe head = entry
        }
        unsafe tail = entry
        count += 1
    }

    mutating func prepend(_ element: Element) {
        let entry = unsafe Unmanaged.passUnretained(element)
        unsafe element[link: kind].previous = nil
        unsafe element[link: kind].next = head
        if let first = unsafe head {
            unsafe first._withUnsafeGuaranteedRef { unsafe $0[link: kind].previous = entry }
        } else {
            unsafe tail = entry
        }
        unsafe head = entry
        count += 1
    }

    /// Takes out an element that is in this list.
    mutating func remove(_ element: Element) {
        let link = element[link: kind]
        if let previous = unsafe link.previous {
            unsafe previous._withUnsafeGuaranteedRef { unsafe $0[link: kind].next = link.next }
        } else {
            unsafe head = link.next
        }
        if let next = unsafe link.next {
            unsafe next._withUnsafeGuaranteedRef { unsafe $0[link: kind].previous = link.previous }
        } else {
            unsafe tail = link.previous
        }
        element[link: kind] = ObjectLink()
        count -= 1
    }

    /// Calls `body` for each element, oldest first, until it says false. `body` may take out the element
    /// it is given.
    @inline(__always)
    func forEach<E>(_ body: (Element) throws(E) -> Bool) throws(E) {
        var each = first
        while let element = each {
            each = next(after: element)
            guard try body(element) else { return }
        }
    }
}
