// Clocks of known rate, to measure others against: they count up, and wrap at their mask.

protocol ReferenceClock {
    var frequency: UInt64 { get }
    var mask: UInt64 { get }
    func start()
    func read() -> UInt64
    func stop()
}

struct HPETClock: ReferenceClock {
    private let device: HPET
    init(_ device: HPET) { self.device = device }

    var frequency: UInt64 { device.frequency }
    var mask: UInt64 { device.isWide ? .max : 0xffff_ffff }
    func start() {}
    func read() -> UInt64 { device.read() }
    func stop() {}
}

struct PMTimerClock: ReferenceClock {
    private let device: PMTimer
    init(_ device: PMTimer) { self.device = device }

    var frequency: UInt64 { PMTimer.frequency }
    var mask: UInt64 { device.mask }
    func start() {}
    func read() -> UInt64 { device.read() }
    func stop() {}
}

/// Channel 2 of the PIT, which counts down 55 ms.
struct PITClock: ReferenceClock {
    var frequency: UInt64 { PIT.frequency }
    var mask: UInt64 { 0xffff }
    func start() { PIT.startChannel2(count: 0xffff) }
    func read() -> UInt64 { UInt64(0xffff &- PIT.remainingChannel2()) }
    func stop() { PIT.stopChannel2() }
}
