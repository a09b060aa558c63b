// The sizes of heap objects: four steps to each doubling, so that at most a fifth of an object is slack.

/// A size class by number.
enum SizeClass {
    static let count = 24
    /// Larger requests get whole blocks of frames.
    static let largest = 2048

    /// Bytes of each class's objects, all multiples of 16.
    static let sizes: InlineArray<24, UInt16> = [
        16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024,
        1280, 1536, 1792, 2048,
    ]

    @inline(__always)
    static func size(_ number: Int) -> Int { Int(sizes[number]) }

    /// log2 of the frames in a slab: two where one frame would leave too much over.
    @inline(__always)
    static func slabOrder(_ number: Int) -> Int { number < 20 ? 0 : 1 }

    static func objectsPerSlab(_ number: Int) -> Int { (4096 << slabOrder(number)) / size(number) }

    /// Objects a CPU keeps at most: a page of them, at least 8 and at most 64.
    @inline(__always)
    static func cacheLimit(_ number: Int) -> Int { min(max(4096 / size(number), 8), 64) }

    /// The class for each size in units of 16 bytes, rounded up; entry 0 is a request of no bytes.
    static func makeTable() -> InlineArray<129, UInt8> {
        var number = 0
        return InlineArray { index in
            if index * 16 > size(number) { number += 1 }
            return UInt8(number)
        }
    }
}
