// Touching user memory. Page faults inside these functions are resolved like those of user mode; when one
// cannot be, the exception table ends the access. The caller has checked that the addresses are the user's.

import CMachine

public enum UserAccess {
    /// Copies `bytes` bytes from the user's `address`; returns how many at the end it could not copy.
    @inline(__always)
    @unsafe public static func copyIn(_ to: UnsafeMutableRawPointer, from address: UInt, _ bytes: Int) -> Int
    {
        unsafe user_copy(to, UnsafeRawPointer(bitPattern: address), bytes)
    }

    /// Copies `bytes` bytes to the user's `address`; returns how many at the end it could not copy.
    @inline(__always)
    @unsafe public static func copyOut(_ from: UnsafeRawPointer, to address: UInt, _ bytes: Int) -> Int {
        unsafe user_copy(UnsafeMutableRawPointer(bitPattern: address), from, bytes)
    }

    /// Clears `bytes` bytes at the user's `address`; returns how many at the end it could not clear.
    @inline(__always)
    public static func clear(_ address: UInt, _ bytes: Int) -> Int {
        unsafe user_clear(UnsafeMutableRawPointer(bitPattern: address), bytes)
    }

    /// Copies up to the first zero byte, at most `limit` bytes; returns how many, or -1 when one cannot be read.
    @inline(__always)
    @unsafe public static func copyString(_ to: UnsafeMutableRawPointer, from address: UInt, _ limit: Int)
        -> Int
    {
        unsafe user_string(to, UnsafeRawPointer(bitPattern: address), limit)
    }

    /// One word of 1, 2, 4 or 8 bytes; nil when it cannot be read.
    @inline(__always)
    public static func load(_ address: UInt, width: Int) -> UInt64? {
        let result =
            switch width {
            case 1: user_load_8(address)
            case 2: user_load_16(address)
            case 4: user_load_32(address)
            default: user_load_64(address)
            }
        return result.failed == 0 ? result.value : nil
    }

    /// Writes one word of 1, 2, 4 or 8 bytes; false when it cannot be written.
    @inline(__always)
    public static func store(_ value: UInt64, _ address: UInt, width: Int) -> Bool {
        switch width {
        case 1: user_store_8(address, value) == 0
        case 2: user_store_16(address, value) == 0
        case 4: user_store_32(address, value) == 0
        default: user_store_64(address, value) == 0
        }
    }

    /// Replaces the word at `address` if it is `expected`, in one atomic step; returns what was there, nil when it cannot
    /// be reached.
    @inline(__always)
    public static func compareExchange(_ address: UInt, expected: UInt32, desired: UInt32) -> UInt32? {
        let result = user_compare_exchange_32(address, expected, desired)
        return result.failed == 0 ? UInt32(truncatingIfNeeded: result.value) : nil
    }
}
