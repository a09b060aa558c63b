// Where code came from: the innermost return addresses of a stack, kept for a report that is written later.

/// A few return addresses, the innermost first. Small enough to be kept by value.
public struct StackTrace: Sendable {
    public static let capacity = 12

    private var addresses = InlineArray<12, UInt>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    public subscript(index: Int) -> UInt { addresses[index] }

    /// Adds the next caller; false when there is no room for more.
    @discardableResult
    public mutating func append(_ address: UInt) -> Bool {
        guard count < Self.capacity else { return false }
        addresses[count] = address
        count += 1
        return count < Self.capacity
    }
}
