// The simulated machine's last way to restart ends the test program.

public enum TripleFault {
    public static func reset() -> Never { fatalError("the simulated machine was reset") }
}
