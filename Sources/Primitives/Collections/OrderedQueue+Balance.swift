// How the red-black tree of an `OrderedQueue` stays balanced: rotations, and the repairs after an
// insertion and a removal (Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, chapter 13).
//
// All pointers here lead to nodes of this queue, which its owner keeps alive and locked.

extension OrderedQueue {
    /// Puts `new` where `old` hangs.
    @inline(__always)
    private mutating func replaceChild(of parent: Pointer?, _ old: Pointer, with new: Pointer?) {
        guard let parent = unsafe parent else {
            unsafe root = new
            return
        }
        if unsafe parent.pointee.left == old {
            unsafe parent.pointee.left = new
        } else {
            unsafe parent.pointee.right = new
        }
    }

    /// The right child of `node`, which exists, takes its place; `node` becomes its left child.
    private mutating func rotateLeft(_ node: Pointer, _ right: Pointer) {
        let inner = unsafe right.pointee.left
        unsafe node.pointee.right = inner
        unsafe inner?.pointee.setParent(node)
        let parent = unsafe node.pointee.parent
        unsafe right.pointee.setParent(parent)
        unsafe replaceChild(of: parent, node, with: right)
        unsafe right.pointee.left = node
        unsafe node.pointee.setParent(right)
    }

    /// The left child of `node`, which exists, takes its place; `node` becomes its right child.
    private mutating func rotateRight(_ node: Pointer, _ left: Pointer) {
        let inner = unsafe left.pointee.right
        unsafe node.pointee.left = inner
        unsafe inner?.pointee.setParent(node)
        let parent = unsafe node.pointee.parent
        unsafe left.pointee.setParent(parent)
        unsafe replaceChild(of: parent, node, with: left)
        unsafe left.pointee.right = node
        unsafe node.pointee.setParent(left)
    }

    /// Repairs a tree in which `inserted`, a red leaf, may have a red parent.
    @inline(__always)
    mutating func rebalanceAfterInsertion(of inserted: Pointer) {
        var node = unsafe inserted
        while let parent = unsafe node.pointee.parent {
            if unsafe parent.pointee.isBlack { return }
            // A red node is not the root, so there is a grandparent.
            guard let grandparent = unsafe parent.pointee.parent else { break }
            let parentIsLeft = unsafe grandparent.pointee.left == parent
            let uncle = unsafe parentIsLeft ? grandparent.pointee.right : grandparent.pointee.left
            if let uncle = unsafe uncle, unsafe !uncle.pointee.isBlack {
                unsafe parent.pointee.setBlack()
                unsafe uncle.pointee.setBlack()
                unsafe grandparent.pointee.setRed()
                unsafe node = grandparent
                continue
            }
            unsafe rotateOver(grandparent, parent, node, parentIsLeft: parentIsLeft)
            return
        }
        unsafe node.pointee.setBlack()
    }

    /// Ends the repair: one or two rotations make the middle one of three red-red nodes their black parent.
    private mutating func rotateOver(
        _ grandparent: Pointer, _ parent: Pointer, _ node: Pointer, parentIsLeft: Bool
    ) {
        var top = unsafe parent
        if parentIsLeft {
            if unsafe parent.pointee.right == node {
                unsafe rotateLeft(parent, node)
                unsafe top = node
            }
            unsafe rotateRight(grandparent, top)
        } else {
            if unsafe parent.pointee.left == node {
                unsafe rotateRight(parent, node)
                unsafe top = node
            }
            unsafe rotateLeft(grandparent, top)
        }
        unsafe top.pointee.setBlack()
        unsafe grandparent.pointee.setRed()
    }

    /// Takes `node` out of the tree and repairs it.
    @inline(__always)
    mutating func unlink(_ node: Pointer) {
        let left = unsafe node.pointee.left
        let right = unsafe node.pointee.right
        if let left = unsafe left, let right = unsafe right {
            unsafe unlinkInner(node, left, right)
            return
        }
        let child = unsafe left ?? right
        let parent = unsafe node.pointee.parent
        unsafe replaceChild(of: parent, node, with: child)
        if let child = unsafe child {
            // An only child is red and its parent black: it takes over both place and color.
            unsafe child.pointee.parentAndColor = node.pointee.parentAndColor
        } else if unsafe node.pointee.isBlack, let parent = unsafe parent {
            unsafe rebalanceAfterRemoval(below: parent)
        }
    }

    /// Takes out a node with two children: its successor takes its place and color.
    private mutating func unlinkInner(_ node: Pointer, _ left: Pointer, _ right: Pointer) {
        var successor = unsafe right
        while let next = unsafe successor.pointee.left { unsafe successor = next }
        let child = unsafe successor.pointee.right
        let wasBlack = unsafe successor.pointee.isBlack
        var hole = unsafe successor
        if unsafe successor != right {
            // The successor is not a root: it lies below `right`.
            if let parent = unsafe successor.pointee.parent {
                unsafe parent.pointee.left = child
                unsafe hole = parent
            }
            unsafe successor.pointee.right = right
            unsafe right.pointee.setParent(successor)
        }
        unsafe successor.pointee.left = left
        unsafe left.pointee.setParent(successor)
        unsafe replaceChild(of: node.pointee.parent, node, with: successor)
        unsafe successor.pointee.parentAndColor = node.pointee.parentAndColor
        if let child = unsafe child {
            unsafe child.pointee.setParent(hole)
            unsafe child.pointee.setBlack()
        } else if wasBlack {
            unsafe rebalanceAfterRemoval(below: hole)
        }
    }

    /// Repairs a tree in which one child of `hole`, now nil, lacks a black node.
    private mutating func rebalanceAfterRemoval(below hole: Pointer) {
        var parent = unsafe hole
        var node: Pointer? = nil
        while true {
            // A subtree that lacks a black node has a sibling that is not empty.
            let isLeft = unsafe parent.pointee.left == node
            guard var sibling = unsafe isLeft ? parent.pointee.right : parent.pointee.left else { return }
            if unsafe !sibling.pointee.isBlack {
                unsafe sibling = turnRedSibling(parent, sibling, isLeft: isLeft)
            }
            if unsafe repair(parent, sibling, isLeft: isLeft) { return }
            // Both subtrees of `parent` now lack one: go up unless `parent` can make up for it.
            unsafe sibling.pointee.setRed()
            if unsafe !parent.pointee.isBlack {
                unsafe parent.pointee.setBlack()
                return
            }
            unsafe node = parent
            guard let next = unsafe parent.pointee.parent else { return }
            unsafe parent = next
        }
    }

    /// Rotates a red sibling above `parent`; returns the new, black sibling.
    private mutating func turnRedSibling(_ parent: Pointer, _ sibling: Pointer, isLeft: Bool) -> Pointer {
        unsafe sibling.pointee.setBlack()
        unsafe parent.pointee.setRed()
        // The children of a red node with a black height of two or more exist.
        if isLeft {
            unsafe rotateLeft(parent, sibling)
            return unsafe parent.pointee.right.unsafelyUnwrapped
        }
        unsafe rotateRight(parent, sibling)
        return unsafe parent.pointee.left.unsafelyUnwrapped
    }

    /// If the black `sibling` has a red child, rotates it so that the missing black node is there again.
    private mutating func repair(_ parent: Pointer, _ sibling: Pointer, isLeft: Bool) -> Bool {
        let outer = unsafe isLeft ? sibling.pointee.right : sibling.pointee.left
        let inner = unsafe isLeft ? sibling.pointee.left : sibling.pointee.right
        var top = unsafe sibling
        if let outer = unsafe outer, unsafe !outer.pointee.isBlack {
            unsafe outer.pointee.setBlack()
        } else if let inner = unsafe inner, unsafe !inner.pointee.isBlack {
            if isLeft { unsafe rotateRight(sibling, inner) } else { unsafe rotateLeft(sibling, inner) }
            unsafe top = inner
            // The old sibling stays black as the outer child.
        } else {
            return false
        }
        let parentWasBlack = unsafe parent.pointee.isBlack
        if isLeft { unsafe rotateLeft(parent, top) } else { unsafe rotateRight(parent, top) }
        if parentWasBlack { unsafe top.pointee.setBlack() } else { unsafe top.pointee.setRed() }
        unsafe parent.pointee.setBlack()
        return true
    }
}
