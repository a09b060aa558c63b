// Echo on its way to the device. When the device takes nothing for long, the newest echo is dropped.

struct EchoQueue: ~Copyable {
    static let capacity = 4096
    private var bytes = [UInt8](repeating: 0, count: EchoQueue.capacity)
    private var head = 0
    private(set) var count = 0

    mutating func append(_ byte: UInt8) {
        guard count < Self.capacity else { return }
        bytes[(head &+ count) & (Self.capacity - 1)] = byte
        count &+= 1
    }

    var first: UInt8? { count == 0 ? nil : bytes[head] }

    mutating func removeFirst() {
        guard count > 0 else { return }
        head = (head &+ 1) & (Self.capacity - 1)
        count &-= 1
    }

    mutating func removeAll() { count = 0 }
}
