// Changing a line: its handlers, its enabling.

import Machine
import Primitives

extension IRQLine {
    /// Runs `body` under the line's lock at a moment when no handler runs. Not from the line's own handler.
    func whenIdle(_ body: (inout State) -> Void) {
        while true {
            let done = state.withLockInterruptsOff { state, _ in
                if state.inProgress { return false }
                body(&state)
                return true
            }
            if done { return }
            Spin.pause()
        }
    }

    /// Adds a handler, and gives the line `spare` if it has no vector yet.
    /// - Returns: whether `spare` was used.
    func add(
        _ handler: IRQHandler, _ registration: IRQ.Registration, _ flags: IRQFlags, _ spare: InterruptTarget,
        _ state: inout State
    ) throws(IRQError) -> Bool {
        if state.count > 0 {
            try checkSharing(registration, flags, state)
            unsafe (handlers + state.count).initialize(to: handler)
            state.count += 1
            return false
        }
        if let wiring = flags.wiring { state.wiring = wiring }
        state.isShared = flags.contains(.shared)
        state.isOneShot = flags.contains(.oneShot)
        unsafe handlers.initialize(to: handler)
        state.count = 1
        state.disableDepth = flags.contains(.startDisabled) ? 1 : 0
        state.threadsRunning = 0
        state.isPending = false
        state.isStormed = false
        state.isThrottled = false
        state.rate = InterruptRate()
        state.target = spare
        state.isMasked = state.disableDepth > 0
        CPUArea.setLine(IRQLines.place(number), vector: spare.vector, cpu: spare.cpu)
        chip.set(spare, state.wiring, isMasked: state.isMasked)
        return true
    }

    private func checkSharing(
        _ registration: IRQ.Registration, _ flags: IRQFlags, _ state: borrowing State
    ) throws(IRQError) {
        if index(of: registration, state.count) != nil { throw .alreadyRegistered }
        guard state.isShared, flags.contains(.shared) else { throw .busy }
        guard state.isOneShot == flags.contains(.oneShot) else { throw .busy }
        if let wiring = flags.wiring, wiring != state.wiring { throw .wrongTrigger }
        if state.count == Self.maximumHandlers { throw .tooManyHandlers }
    }

    private func index(of registration: IRQ.Registration, _ count: Int) -> Int? {
        for index in 0..<count {
            // The first `count` handlers are valid.
            let handler = unsafe handlers[index]
            let function = unsafe unsafeBitCast(handler.function, to: UInt.self)
            if function == registration.function, handler.word == registration.word { return index }
        }
        return nil
    }

    /// What a removed handler leaves to be given back.
    struct Removed {
        var wasThere = false
        var target: InterruptTarget?
        var previous: InterruptTarget?
    }

    /// Removes a handler; with the last one the line loses its vector.
    func remove(_ registration: IRQ.Registration, _ state: inout State) -> Removed {
        guard let found = index(of: registration, state.count) else { return Removed() }
        state.count -= 1
        // The others keep their order.
        for index in found..<state.count { unsafe handlers[index] = unsafe handlers[index + 1] }
        guard state.count == 0 else { return Removed(wasThere: true) }
        state.mask(chip)
        chip.shutDown()
        let removed = Removed(wasThere: true, target: state.target, previous: state.previous)
        state.target = nil
        state.previous = nil
        return removed
    }

    /// Undoes one `disable`; false if there was none.
    func enable(_ state: inout State) -> Bool {
        guard state.disableDepth > 0 else { return false }
        state.disableDepth -= 1
        if state.disableDepth == 0 { state.isStormed = false }
        resume(&state)
        return true
    }
}
