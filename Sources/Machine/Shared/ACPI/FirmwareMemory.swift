// Physical memory as the firmware's tables are read from it: copied out, so that nothing that a table
// says can lead the kernel astray.

/// Where firmware tables lie.
public protocol FirmwareMemory {
    /// A copy of `count` bytes at `address`; nil if any of them cannot be read.
    func bytes(at address: PhysicalAddress, count: Int) -> [UInt8]?
}

extension FirmwareMemory {
    /// A little-endian 16-bit number at `address`; nil if it cannot be read.
    func little16(at address: PhysicalAddress) -> UInt16? {
        guard let bytes = bytes(at: address, count: 2) else { return nil }
        return bytes.span.little16(at: 0)
    }

    /// The signature of the table at `address`; nil if it cannot be read.
    func signature(at address: PhysicalAddress) -> ACPISignature? {
        guard let bytes = bytes(at: address, count: 4), let value = bytes.span.little32(at: 0) else {
            return nil
        }
        return ACPISignature(value)
    }
}

/// Physical memory of a test: pieces at addresses.
public struct PiecewiseMemory: FirmwareMemory, Sendable {
    private var pieces: [(start: UInt64, bytes: [UInt8])] = []

    public init() {}

    public mutating func place(_ bytes: [UInt8], at address: UInt64) { pieces.append((address, bytes)) }

    public func bytes(at address: PhysicalAddress, count: Int) -> [UInt8]? {
        for piece in pieces where address.value >= piece.start {
            let offset = address.value - piece.start
            guard offset <= UInt64(piece.bytes.count), count <= piece.bytes.count - Int(offset) else {
                continue
            }
            return Array(piece.bytes[Int(offset)..<Int(offset) + count])
        }
        return nil
    }
}
