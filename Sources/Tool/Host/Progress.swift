// What the tool says while it works. Messages go to standard error, one line each, written at
// once and unbuffered, so that they keep their order beside the output of other programs.
import Foundation

/// Messages to the user, on standard error.
enum Progress {
    /// Says what is being done now.
    static func step(_ message: String) {
        write("apus: \(message)\n", to: STDERR_FILENO)
    }

    /// Says that something is not as it should be, though the work goes on.
    static func warning(_ message: String) {
        write("apus: warning: \(message)\n", to: STDERR_FILENO)
    }

    /// Replaces the text of the current line on a terminal; says nothing elsewhere.
    /// An empty text clears the line.
    static func transient(_ text: String) {
        guard isatty(STDERR_FILENO) != 0 else { return }
        write("\r\u{1B}[K" + text.prefix(Terminal.columns - 1), to: STDERR_FILENO)
    }

    /// Writes all of `text`, unbuffered.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                return
            }
            bytes = bytes.dropFirst(count)
        }
    }
}
