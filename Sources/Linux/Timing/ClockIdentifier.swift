// The clocks that programs name by number (clock_getres(2)): those of the machine and the CPU clocks of
// processes and threads.

import Primitives
import Tasks
import Time

/// A clock that exists, as far as the number tells.
enum ClockIdentifier: Equatable {
    /// CLOCK_REALTIME, CLOCK_TAI, CLOCK_REALTIME_ALARM.
    case realtime
    /// CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM: nothing sleeps through time here, so all are one.
    case monotonic
    /// CLOCK_MONOTONIC_RAW and the coarse ones: can only be read.
    case monotonicRaw
    case realtimeCoarse
    case monotonicCoarse
    /// CPU time of the process with this number, 0 for the caller's.
    case process(Int32, CPUKind)
    /// CPU time of the thread with this number, 0 for the caller.
    case thread(Int32, CPUKind)

    /// Which part of CPU time a clock shows.
    enum CPUKind: UInt32, Equatable {
        case total = 0  // CPUCLOCK_PROF
        case user = 1  // CPUCLOCK_VIRT
        case scheduled = 2  // CPUCLOCK_SCHED
    }

    /// Throws `.invalid` for numbers that are no clock's.
    init(_ number: Int32) throws(Errno) {
        switch number {
        case 0, 8, 11: self = .realtime
        case 1, 7, 9: self = .monotonic
        case 2: self = .process(0, .scheduled)
        case 3: self = .thread(0, .scheduled)
        case 4: self = .monotonicRaw
        case 5: self = .realtimeCoarse
        case 6: self = .monotonicCoarse
        case ..<0:
            // ~number in the upper bits, "of a thread" in bit 2, the kind in bits 0 and 1; 3 would be a device.
            guard let kind = CPUKind(rawValue: UInt32(bitPattern: number) & 3) else { throw .invalid }
            let owner = ~(number >> 3)
            self = number & 4 != 0 ? .thread(owner, kind) : .process(owner, kind)
        default: throw .invalid
        }
    }

    /// Nanoseconds it shows now. Throws `.invalid` if its process or thread does not exist.
    func now() throws(Errno) -> UInt64 {
        switch self {
        case .realtime, .realtimeCoarse: return Clock.realtime
        case .monotonic, .monotonicRaw, .monotonicCoarse: return Clock.monotonic
        case .process(let number, let kind):
            let process = number == 0 ? LinuxTask.current.process : ProcessTable.process(number)
            guard let process else { throw .invalid }
            return process.times.nanoseconds(kind)
        case .thread(let number, let kind):
            let own = LinuxTask.current
            let task = number == 0 ? own : ProcessTable.task(number)
            // Only threads of the caller's own process.
            guard let task, task.process === own.process else { throw .invalid }
            return CPUUsage(task.thread).nanoseconds(kind)
        }
    }

    /// Nanoseconds between two values.
    var resolution: UInt64 {
        switch self {
        case .realtimeCoarse, .monotonicCoarse: 1_000_000_000 / Clock.ticksPerSecond
        default: 1
        }
    }

    /// The base for waiting; nil for CPU clocks. Throws `.notSupported` for clocks that can only be read.
    func waitable() throws(Errno) -> ClockBase? {
        switch self {
        case .realtime: return .realtime
        case .monotonic: return .monotonic
        case .process: return nil
        case .thread, .monotonicRaw, .realtimeCoarse, .monotonicCoarse: throw .notSupported
        }
    }
}

extension CPUUsage {
    func nanoseconds(_ kind: ClockIdentifier.CPUKind) -> UInt64 { kind == .user ? user : total }
}
