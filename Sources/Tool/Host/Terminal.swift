// The user's terminal: its size, and its settings, which QEMU changes while it runs.
import Foundation

/// The terminal that the tool was started from.
enum Terminal {
    /// Rows and columns of the terminal on standard output, or nil where it is none.
    static var size: (rows: Int, columns: Int)? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// Columns of the terminal, 80 where there is none.
    static var columns: Int { size?.columns ?? 80 }

    /// Runs `body`, then gives the terminal back the settings that it had: a QEMU that is killed
    /// leaves it raw and non-blocking.
    static func restored<Result>(after body: () async throws -> Result) async rethrows -> Result {
        var settings = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &settings) == 0
        let flags = fcntl(STDIN_FILENO, F_GETFL)
        defer {
            if isTerminal { tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) }
            if flags >= 0 { _ = fcntl(STDIN_FILENO, F_SETFL, flags) }
        }
        return try await body()
    }
}
