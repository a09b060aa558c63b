// Echo: what the user sees of what was typed.

extension LineDiscipline {
    /// Echoes a byte through output processing.
    mutating func put(_ byte: UInt8) {
        let processed = process(byte)
        for index in 0..<processed.count { echo.append(processed[index]) }
    }

    /// Echoes a byte as it is; the caller follows the cursor.
    mutating func send(_ byte: UInt8) { echo.append(byte) }

    /// Echoes a typed byte; with ECHOCTL a control character but tab shows as `^X`.
    mutating func echoVisible(_ byte: UInt8) {
        // As Linux does, with or without OPOST.
        if byte == 0xff {
            send(byte)
            column &+= 1
            return
        }
        guard termios.local.contains(.echoControl), byte.isControl, byte != 9 else { return put(byte) }
        send(94)
        send(byte ^ 64)
        column &+= 2
    }

    /// Remembers where the line being edited begins on the screen.
    mutating func noteLineColumn() {
        if !queue.isEditing { lineColumn = column }
    }
}
