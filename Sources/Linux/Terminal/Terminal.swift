// A terminal: a line discipline between the programs that read and write and the device behind.
//
//   device → its work → `acceptInput` → line discipline → queue → read
//   write → output processing → device;  echo → device
//
// Lock: `state`, task context only (the device's top half knows nothing of terminals), innermost but for the
// device's own. Signals are sent, and threads woken, after it is let go.

import Primitives
import Synchronization
import Tasks

/// Size of the screen in characters and in pixels (`struct winsize`).
struct WindowSize: Equatable, Sendable {
    var rows: UInt16 = 0
    var columns: UInt16 = 0
    var width: UInt16 = 0
    var height: UInt16 = 0
}

public final class Terminal: ControllingTerminal, @unchecked Sendable {
    /// As in `/dev`, without the directory.
    let name: [UInt8]
    let number: DeviceNumber
    let device: TerminalDevice
    let state: SpinLock<State>
    /// Readers, and polls for input.
    let input = WaitQueue()
    /// Writers, polls for output, whoever drains.
    let output = WaitQueue()

    struct State: ~Copyable {
        var discipline = LineDiscipline()
        var windowSize = WindowSize()
        /// The session whose controlling terminal this is.
        var session: Session?
        var foreground: ProcessGroup?
        /// Goes up with each hang-up: files opened before are dead.
        var hangUps: UInt = 0
        var openCount = 0
        /// No further open(2) but the superuser's (TIOCEXCL).
        var isExclusive = false
        /// A write is under way; others wait, so that their texts do not mix.
        var isWriting = false
        /// Output stopped by tcflow(3), beside VSTOP.
        var isFlowStopped = false
        /// The discipline would not take the next byte.
        var isInputBlocked = false
    }

    init(name: [UInt8], number: DeviceNumber, device: TerminalDevice, settings: Termios = Termios()) {
        self.name = name
        self.number = number
        self.device = device
        var state = State()
        _ = state.discipline.setTermios(settings)
        self.state = SpinLock(state)
    }

    /// Device number as `/proc/PID/stat` shows it.
    public var deviceNumber: UInt32 { number.encoded }

    public var foregroundGroupIdentifier: Int32 { state.withLock { $0.foreground?.identifier ?? -1 } }

    /// Lets echo that had no room go out, and whoever waits for room go on. Called by the device's work.
    func outputMayContinue() {
        state.withLock { pumpEcho(&$0) }
        output.wakeAll()
    }

    /// Hands echo to the device as far as it takes it.
    func pumpEcho(_ state: inout State) {
        guard let _ = state.discipline.echo.first else { return }
        var room = device.room
        while room > 0, let byte = state.discipline.echo.first {
            device.put(byte)
            state.discipline.echo.removeFirst()
            room -= 1
        }
        device.start()
    }

    /// Bytes on their way out: echo and what the device has not sent.
    var pendingOutput: Int { state.withLock { $0.discipline.echo.count } + device.pendingOutput }
}
