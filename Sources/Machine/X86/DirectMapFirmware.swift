// Firmware tables through the direct map. What is not mapped there, since the memory map does not
// have it, cannot be read.

public struct DirectMapFirmware: FirmwareMemory {
    public init() {}

    public func bytes(at address: PhysicalAddress, count: Int) -> [UInt8]? {
        // The direct map has 16 TiB of room.
        guard count >= 0, address.value < 1 << 44 else { return nil }
        let base = KernelLayout.directMap &+ UInt(address.value)
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for offset in 0..<count {
            guard let byte = CheckedMemory.loadByte(VirtualAddress(base &+ UInt(offset))) else { return nil }
            result.append(byte)
        }
        return result
    }
}
