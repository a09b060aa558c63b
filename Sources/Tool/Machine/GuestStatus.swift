// How a run of the kernel ends, as QEMU tells it.
//
// The contract with the kernel: at its end it writes one byte, 0x40 + N, to port 0xF4, where
// QEMU's isa-debug-exit listens; QEMU then exits with ((0x40 + N) << 1 | 1) & 0xFF, which is
// 0x81 + 2 * N. N is
//     0...61   init's exit status (128 + signal if one killed it), larger ones clamped to 61;
//              or, of an in-kernel test run, 0 for passed and 1 for failed
//     62       the kernel panicked, or could not start init
//     63       reserved
// A power-off or a reset (which -no-reboot makes one) ends QEMU with 0: a clean end, status 0.

import Subprocess

/// How the guest ended.
enum GuestStatus: Equatable, Sendable, CustomStringConvertible {
    /// Powered off, reset, or halted through QEMU's monitor.
    case poweredOff
    /// Init exited with this status (61 stands for 61 and above).
    case exited(Int)
    /// The kernel panicked.
    case panicked
    /// QEMU itself failed, with this status of its own.
    case emulatorFailed(Int)
    /// QEMU was ended by this signal.
    case killed(Int)

    /// Reads the exit status of QEMU.
    init(emulatorStatus status: Int) {
        switch status {
        case 0: self = .poweredOff
        case let odd where odd >= 0x81 && odd & 1 == 1:
            let value = (odd - 0x81) / 2
            self = value >= 62 ? .panicked : .exited(value)
        default: self = .emulatorFailed(status)
        }
    }

    /// Reads how QEMU ended.
    init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self.init(emulatorStatus: Int(code))
        case .signaled(let signal): self = .killed(Int(signal))
        }
    }

    /// The status that `./apus run` ends with.
    var exitCode: Int32 {
        switch self {
        case .poweredOff: 0
        case .exited(let status): Int32(status)
        case .panicked: 62
        case .emulatorFailed: 125
        case .killed(let signal): Int32(128 + signal)
        }
    }

    var description: String {
        switch self {
        case .poweredOff: "the machine was powered off"
        case .exited(61): "init exited with status 61 or more"
        case .exited(let status): "init exited with status \(status)"
        case .panicked: "the kernel panicked, or could not start init (status 62)"
        case .emulatorFailed(let status): "QEMU failed with status \(status)"
        case .killed(let signal): "QEMU was ended by signal \(signal)"
        }
    }
}
