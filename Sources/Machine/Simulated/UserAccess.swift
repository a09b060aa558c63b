// User memory of the simulated machine: page by page through its page tables, with page faults delivered to
// a function as the real CPU delivers them to the kernel.

import Synchronization

public enum UserAccess {
    /// Called for a page fault at an address; false when the access cannot go on.
    public static var pageFault: (@Sendable (_ address: UInt, _ write: Bool) -> Bool)? {
        get { SimulatedCPU.current.pageFault }
        set { SimulatedCPU.current.pageFault = newValue }
    }

    /// The RAM behind `address`, after as many page faults as it takes; nil when one of them is not resolved.
    private static func resolve(_ address: UInt, write: Bool) -> UnsafeMutableRawPointer? {
        while true {
            if let place = Translation.access(address, write: write) { return unsafe place.pointer }
            guard let fault = pageFault, fault(address, write) else { return nil }
        }
    }

    /// Calls `body` with each piece of a page; returns the bytes left over when a page cannot be had.
    private static func forEachPiece(
        _ address: UInt, _ bytes: Int, write: Bool, _ body: (UnsafeMutableRawPointer, Int, Int) -> Void
    ) -> Int {
        var done = 0
        while done < bytes {
            let at = address &+ UInt(done)
            let piece = min(bytes - done, 4096 - Int(at & 4095))
            guard let pointer = unsafe resolve(at, write: write) else { break }
            unsafe body(pointer, done, piece)
            done += piece
        }
        return bytes - done
    }

    @unsafe public static func copyIn(_ to: UnsafeMutableRawPointer, from address: UInt, _ bytes: Int) -> Int
    {
        unsafe forEachPiece(address, bytes, write: false) { pointer, offset, count in
            unsafe (to + offset).copyMemory(from: pointer, byteCount: count)
        }
    }

    @unsafe public static func copyOut(_ from: UnsafeRawPointer, to address: UInt, _ bytes: Int) -> Int {
        unsafe forEachPiece(address, bytes, write: true) { pointer, offset, count in
            unsafe pointer.copyMemory(from: from + offset, byteCount: count)
        }
    }

    public static func clear(_ address: UInt, _ bytes: Int) -> Int {
        unsafe forEachPiece(address, bytes, write: true) { pointer, _, count in
            unsafe pointer.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        }
    }

    @unsafe public static func copyString(_ to: UnsafeMutableRawPointer, from address: UInt, _ limit: Int)
        -> Int
    {
        for offset in 0..<limit {
            guard let byte = load(address &+ UInt(offset), width: 1) else { return -1 }
            unsafe to.storeBytes(of: UInt8(byte), toByteOffset: offset, as: UInt8.self)
            if byte == 0 { return offset }
        }
        return limit
    }

    public static func load(_ address: UInt, width: Int) -> UInt64? {
        var value: UInt64 = 0
        let left = unsafe withUnsafeMutableBytes(of: &value) {
            unsafe copyIn($0.baseAddress!, from: address, width)
        }
        return left == 0 ? value : nil
    }

    public static func store(_ value: UInt64, _ address: UInt, width: Int) -> Bool {
        unsafe withUnsafeBytes(of: value) { unsafe copyOut($0.baseAddress!, to: address, width) } == 0
    }

    public static func compareExchange(_ address: UInt, expected: UInt32, desired: UInt32) -> UInt32? {
        guard let pointer = unsafe resolve(address, write: true) else { return nil }
        // Aligned, so the word lies in one page of the simulated RAM.
        let word = unsafe pointer.assumingMemoryBound(to: Atomic<UInt32>.self)
        return unsafe word.pointee.compareExchange(
            expected: expected, desired: desired, ordering: .sequentiallyConsistent
        ).original
    }
}
