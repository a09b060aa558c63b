// The entries of a directory: found by name in constant time, listed in a stable order.
//
// A hash table that grows one bucket at a time (linear hashing: buckets 0 ..< low + split, where the
// ones below `split` have been split in two already), with chains through the entries themselves; and the order, by a
// number (cookie) each entry gets when it comes in. Both lie in radix trees, so that a directory
// of a hundred thousand entries needs no large piece of memory and no operation takes long.
//
// Invariants: an entry is in the chain of its hash's bucket and in `order` at its cookie, or in neither. The
// table holds one reference to each.

import Primitives

/// The entries of a directory.
public final class ChildTable: @unchecked Sendable {
    private struct State: ~Copyable {
        /// First entry of each bucket, unretained: `order` holds the references.
        var buckets = RadixTree()
        /// Retained entries by cookie.
        var order = RadixTree()
        /// A power of two; the number of buckets is between it and its double.
        var low: UInt = 8
        var split: UInt = 0
        /// Positions 1 and 2 are `.` and `..`.
        var nextCookie: UInt = 3
    }

    /// Task context; nothing under it sleeps.
    private let state = SpinLock(State())

    init() {}

    /// Number of entries.
    var count: Int { state.withLock { $0.order.count } }

    /// Finds an entry.
    func find(_ name: Span<UInt8>, _ hash: UInt32) -> PathEntry? {
        state.withLock { state in
            var next = Self.entry(state.buckets[Self.bucket(hash, state)])
            while let entry = next {
                if entry.hash == hash, Self.equal(entry.name, name) { return entry }
                next = entry.nextInBucket
            }
            return nil
        }
    }

    /// Puts in an entry whose name is not there.
    func insert(_ entry: PathEntry) {
        state.withLock { state in
            let bucket = Self.bucket(entry.hash, state)
            Self.push(entry, bucket, &state)
            entry.cookie = state.nextCookie
            state.nextCookie &+= 1
            state.order.set(entry.cookie, Self.retained(entry))
            if UInt(bitPattern: state.order.count) > 2 &* (state.low &+ state.split) {
                Self.splitNext(&state)
            }
        }
    }

    /// Takes out an entry; nothing if it is not in.
    func remove(_ entry: PathEntry) {
        let wasIn = state.withLock { state in
            guard entry.cookie != 0 else { return false }
            Self.unchain(entry, &state)
            state.order.remove(entry.cookie)
            entry.cookie = 0
            return true
        }
        if wasIn { Self.release(entry) }
    }

    /// The first entry at `cookie` or after it.
    func next(from cookie: UInt) -> PathEntry? {
        state.withLock { state in Self.entry(state.order.next(from: cookie)?.word ?? 0) }
    }

    /// Empties the table, for a file system that goes away.
    func removeAll(_ each: (PathEntry) -> Void) {
        while let entry = next(from: 0) {
            remove(entry)
            each(entry)
        }
    }

    // MARK: Buckets

    private static func bucket(_ hash: UInt32, _ state: borrowing State) -> UInt {
        let hash = UInt(hash)
        let bucket = hash & (state.low &- 1)
        return bucket < state.split ? hash & (2 &* state.low &- 1) : bucket
    }

    private static func push(_ entry: PathEntry, _ bucket: UInt, _ state: inout State) {
        entry.nextInBucket = Self.entry(state.buckets[bucket])
        unsafe state.buckets.set(bucket, UInt(bitPattern: Unmanaged.passUnretained(entry).toOpaque()))
    }

    /// Divides the next bucket's entries between it and a new one.
    private static func splitNext(_ state: inout State) {
        let bucket = state.split
        var next = entry(state.buckets[bucket])
        state.buckets.remove(bucket)
        state.split &+= 1
        while let entry = next {
            next = entry.nextInBucket
            push(entry, UInt(entry.hash) & (2 &* state.low &- 1), &state)
        }
        if state.split == state.low {
            state.low &*= 2
            state.split = 0
        }
    }

    private static func unchain(_ entry: PathEntry, _ state: inout State) {
        let bucket = bucket(entry.hash, state)
        let after = entry.nextInBucket
        entry.nextInBucket = nil
        guard var before = Self.entry(state.buckets[bucket]) else { return }
        if before === entry {
            if let after {
                unsafe state.buckets.set(bucket, UInt(bitPattern: Unmanaged.passUnretained(after).toOpaque()))
            } else {
                state.buckets.remove(bucket)
            }
            return
        }
        while let next = before.nextInBucket {
            if next === entry {
                before.nextInBucket = after
                return
            }
            before = next
        }
    }

    @inline(__always)
    static func equal(_ a: [UInt8], _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for index in a.indices where a[index] != b[index] { return false }
        return true
    }

    // MARK: References as words

    /// The entry a word of `buckets` or `order` stands for.
    @inline(__always)
    private static func entry(_ word: UInt) -> PathEntry? {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: word) else { return nil }
        // Words in the trees are addresses of entries to which `order` holds a reference.
        return unsafe Unmanaged<PathEntry>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func retained(_ entry: PathEntry) -> UInt {
        unsafe UInt(bitPattern: Unmanaged.passRetained(entry).toOpaque())
    }

    /// Gives back the reference that `order` held.
    private static func release(_ entry: PathEntry) {
        unsafe Unmanaged.passUnretained(entry).release()
    }
}
