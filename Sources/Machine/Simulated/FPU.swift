// Floating-point state on the simulated machine: images without content.

public enum FPU {
    nonisolated(unsafe) public private(set) static var imageSize = 576
    nonisolated(unsafe) public private(set) static var features: UInt64 = 3
    nonisolated(unsafe) public private(set) static var hasXSAVE = true
    public static let imageAlignment = 64
    static let legacySize = 512

    public static func detect() {}
    public static func setUpThisCPU() {}

    public static func initialize(_ image: UnsafeMutableRawPointer) {
        // The caller gives `imageSize` bytes.
        unsafe image.initializeMemory(as: UInt8.self, repeating: 0, count: imageSize)
    }

    public static func save(to image: UnsafeMutableRawPointer) {}
    public static func restore(from image: UnsafeRawPointer) {}

    public static func setMark(_ first: UInt64, _ second: UInt64, _ third: UInt64, last: UInt32) {}
    public static var markedSize: Int { unsafe imageSize + 4 }
    public static func save(toUser address: UInt) -> Bool { UserAccess.clear(address, unsafe imageSize) == 0 }
    /// Never: the image must go through `sanitize`.
    public static func restore(fromUser address: UInt) -> Bool { false }
    public static func reset() {}

    public static func sanitize(_ image: UnsafeMutableRawPointer) {
        // Inside the image: the component bits of its header.
        let present = unsafe image.load(fromByteOffset: legacySize, as: UInt64.self)
        unsafe image.storeBytes(of: present & features, toByteOffset: legacySize, as: UInt64.self)
    }
}
