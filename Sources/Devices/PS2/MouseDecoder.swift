// The packets of a PS/2 mouse: three bytes, or four with a wheel, become movements and buttons.

/// Where in a packet the stream is. Fixed size; for top halves.
struct MouseDecoder: BitwiseCopyable, Sendable {
    /// What kinds of mice say of themselves (their identifiers).
    enum Model: UInt8, BitwiseCopyable, Sendable {
        case plain = 0
        case wheel = 3
        /// And five buttons.
        case explorer = 4

        var packetSize: Int { self == .plain ? 3 : 4 }
    }

    /// One packet's contents: right and down are positive, the wheel is positive away from the user.
    struct Movement: Equatable, Sendable {
        var x: Int32
        var y: Int32
        var wheel: Int32
        /// Bits: left, right, middle, side, extra.
        var buttons: UInt8
    }

    private enum Head {
        static let buttons: UInt8 = 7
        /// Always set in a packet's first byte.
        static let mark: UInt8 = 8
        static let xSign: UInt8 = 0x10
        static let ySign: UInt8 = 0x20
    }

    /// A packet whose bytes lie further apart than this (nanoseconds) has lost some.
    private static let patience: UInt64 = 500_000_000

    var model = Model.plain
    private var bytes = InlineArray<4, UInt8>(repeating: 0)
    private var count = 0
    private var lastTime: UInt64 = 0
    /// Bytes that were dropped because they could not begin a packet, and packets that were broken off.
    private(set) var errors: UInt32 = 0

    /// Takes the next byte, which came at `now` (nanoseconds); a movement, if that completes a packet.
    @_noAllocation
    mutating func take(_ byte: UInt8, at now: UInt64) -> Movement? {
        if count > 0, now &- lastTime > Self.patience {
            errors &+= 1
            count = 0
        }
        lastTime = now
        if count == 0, byte & Head.mark == 0 {
            errors &+= 1
            return nil
        }
        bytes[count] = byte
        count += 1
        guard count == model.packetSize else { return nil }
        count = 0
        return movement
    }

    private var movement: Movement {
        let head = bytes[0]
        // Nine bits, the sign in the first byte; up is positive here.
        let x = Int32(bytes[1]) - (head & Head.xSign != 0 ? 256 : 0)
        let y = (head & Head.ySign != 0 ? 256 : 0) - Int32(bytes[2])
        var result = Movement(x: x, y: y, wheel: 0, buttons: head & Head.buttons)
        switch model {
        case .plain: break
        case .wheel: result.wheel = -Int32(Int8(bitPattern: bytes[3]))
        case .explorer:
            // Four bits with a sign, and two buttons.
            result.wheel = -Int32(Int8(bitPattern: bytes[3] << 4) >> 4)
            result.buttons |= (bytes[3] & 0x30) >> 1
        }
        return result
    }
}
