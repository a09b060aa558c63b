// The simulated machine's soft IRQs run on the stack of what they interrupt.

public enum SoftInterruptStack {
    public static func call(_ function: @convention(c) () -> Void) { function() }
}
