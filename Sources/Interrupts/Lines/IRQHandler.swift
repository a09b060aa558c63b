// A device's handler of its line: a function and a word for it, without a context that would have to be
// counted.
//
// The three kinds of work of an interrupt (critical, non-critical, deferrable) are told apart here: what `function` does is
// critical, with interrupts off; a `NonCriticalHandler` runs at once, but lets other interrupts in; what can wait is
// handed to the handler's thread by `wakeThread`, or to a soft IRQ.

import Machine
import Primitives

/// What a handler answers.
public enum IRQReturn: UInt8, Sendable {
    /// The interrupt was not this device's: on a shared line somebody else's, else spurious.
    case none = 0
    case handled = 1
    /// The rest is for the handler's thread.
    case wakeThread = 2
}

public struct IRQHandler: Sendable {
    /// Called with interrupts off. Mark the function `@Sendable`, and for the kernel `@_noAllocation`.
    public typealias Function =
        @convention(thin) @Sendable (borrowing HardInterruptContext, UInt) -> IRQReturn

    let function: Function
    /// Whatever the device wants to find there: an index, a port.
    public let word: UInt
    /// What `IRQThreadHook.wake` knows the handler's thread by; 0 for none.
    public var thread: UInt = 0
    public let name: StaticString

    public init(_ name: StaticString, word: UInt = 0, _ function: Function) {
        self.function = function
        self.word = word
        self.name = name
    }
}

/// How threads of handlers are woken.
public enum IRQThreadHook {
    /// Wakes the thread of that word; false if it had been woken already and has not begun its work yet. Hard interrupt
    /// context. Set once, before the first threaded handler is requested.
    nonisolated(unsafe) public static var wake: (@convention(c) (UInt) -> Bool)? = nil
}

/// How a line is wanted.
public struct IRQFlags: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Others may have the line too, if they all say so.
    public static let shared = IRQFlags(rawValue: 1)
    /// The trigger, where the firmware's table does not know it; the default is the bus's.
    public static let edge = IRQFlags(rawValue: 2)
    public static let levelLow = IRQFlags(rawValue: 4)
    public static let levelHigh = IRQFlags(rawValue: 8)
    /// The line stays masked until `enable`.
    public static let startDisabled = IRQFlags(rawValue: 16)
    /// The line stays masked until the threads that its handlers wake have done their work.
    public static let oneShot = IRQFlags(rawValue: 32)

    /// The wiring that was asked for, if any.
    var wiring: LineWiring? {
        if contains(.levelLow) { return LineWiring(isActiveLow: true, isLevel: true) }
        if contains(.levelHigh) { return LineWiring(isActiveLow: false, isLevel: true) }
        return contains(.edge) ? .isa : nil
    }
}
