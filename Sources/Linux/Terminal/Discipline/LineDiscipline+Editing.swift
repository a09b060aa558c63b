// Editing of the current line: VERASE, VWERASE, VKILL, VLNEXT, VREPRINT and what ends a line.

extension LineDiscipline {
    /// Handles a byte that means something to the editor; false if it is an ordinary one.
    mutating func handleEditing(_ byte: UInt8, _ effects: inout Effects) -> Bool {
        if matches(byte, .erase) {
            eraseCharacters(of: .character)
        } else if matches(byte, .kill) {
            killLine()
        } else if isExtended, matches(byte, .wordErase) {
            eraseCharacters(of: .word)
        } else if isExtended, matches(byte, .literalNext) {
            beginLiteral()
        } else if isExtended, isEchoing, matches(byte, .reprint) {
            reprint(byte)
        } else {
            return handleLineEnd(byte, &effects)
        }
        return true
    }

    private mutating func handleLineEnd(_ byte: UInt8, _ effects: inout Effects) -> Bool {
        if byte == 10 {
            if isEchoing || termios.local.contains(.echoNewline) { put(10) }
            endLine(10, &effects)
            return true
        }
        if matches(byte, .endOfFile) {
            endLine(Self.endOfFileMark, &effects)
            return true
        }
        guard matches(byte, .endOfLine) || isExtended && matches(byte, .endOfLine2) else { return false }
        if isEchoing {
            noteLineColumn()
            echoVisible(byte)
        }
        endLine(byte, &effects)
        return true
    }

    /// What stands in the queue, with a delimiter, for VEOF; readers never see it.
    static let endOfFileMark: UInt8 = 0

    private mutating func beginLiteral() {
        isLiteral = true
        guard isEchoing else { return }
        endShowingErased()
        if termios.local.contains(.echoControl) {
            send(94)
            send(8)
        }
    }

    private mutating func reprint(_ byte: UInt8) {
        endShowingErased()
        echoVisible(byte)
        put(10)
        var position = queue.lineEnd
        while position != queue.head {
            echoVisible(queue.byte(at: position))
            position &+= 1
        }
    }

    private mutating func killLine() {
        guard queue.isEditing else { return }
        guard isEchoing else { return queue.truncate(to: queue.lineEnd) }
        if termios.local.isSuperset(of: [.echoKill, .echoKillErase, .echoErase]) {
            return eraseCharacters(of: .line)
        }
        queue.truncate(to: queue.lineEnd)
        endShowingErased()
        echoVisible(termios[.kill])
        if termios.local.contains(.echoKill) { put(10) }
    }

    private enum Extent { case character, word, line }

    private mutating func eraseCharacters(of extent: Extent) {
        guard queue.isEditing else { return }
        var hasSeenWord = false
        while queue.isEditing {
            guard let start = startOfLastCharacter() else { break }
            let first = queue.byte(at: start)
            if extent == .word {
                if first.isWordPart { hasSeenWord = true } else if hasSeenWord { break }
            }
            erase(from: start, first, byCharacter: extent == .character)
            if extent == .character { break }
        }
        if !queue.isEditing, isEchoing { endShowingErased() }
    }

    /// Where the last character of the line begins: with IUTF8, before its continuation bytes; nil if there
    /// are only continuation bytes (half a character is left alone).
    private func startOfLastCharacter() -> UInt? {
        var position = queue.head &- 1
        while isContinuation(queue.byte(at: position)) {
            guard position != queue.lineEnd else { return nil }
            position &-= 1
        }
        return position
    }

    private mutating func erase(from start: UInt, _ first: UInt8, byCharacter: Bool) {
        let end = queue.head
        queue.truncate(to: start)
        guard isEchoing else { return }
        if termios.local.contains(.echoPrint) {
            showErased(from: start, to: end)
        } else if byCharacter, !termios.local.contains(.echoErase) {
            echoVisible(termios[.erase])
        } else if first == 9 {
            eraseTab()
        } else {
            let isControl = first.isControl
            let showsControl = termios.local.contains(.echoControl)
            if isControl, showsControl { rubOut() }
            if !isControl || showsControl { rubOut() }
        }
    }

    /// ECHOPRT: the erased characters between a backslash and a slash, for paper.
    private mutating func showErased(from start: UInt, to end: UInt) {
        if !isShowingErased {
            put(92)
            isShowingErased = true
        }
        var position = start
        while position != end {
            echoVisible(queue.byte(at: position))
            position &+= 1
        }
    }

    mutating func endShowingErased() {
        guard isShowingErased else { return }
        put(47)
        isShowingErased = false
    }

    private mutating func rubOut() {
        put(8)
        put(32)
        put(8)
    }

    /// Moves the cursor back over a tab: as far as the tab was wide, which depends on what stands before it.
    private mutating func eraseTab() {
        var before: UInt32 = 0
        var position = queue.head
        var followsTab = false
        while position != queue.lineEnd {
            position &-= 1
            let byte = queue.byte(at: position)
            if byte == 9 {
                followsTab = true
                break
            }
            if byte.isControl {
                if termios.local.contains(.echoControl) { before &+= 2 }
            } else if !isContinuation(byte) {
                before &+= 1
            }
        }
        if !followsTab { before &+= lineColumn }
        for _ in 0..<(8 - before & 7) {
            send(8)
            if column > 0 { column &-= 1 }
        }
    }
}
