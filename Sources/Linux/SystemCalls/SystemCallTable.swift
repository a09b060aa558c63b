// From a system call's number to its function: one switch (arch/x86 numbers, asm/unistd_64.h).

import Primitives

public enum SystemCallTable {
    /// Carries out system call `number`. Numbers that no case names are not implemented: ENOSYS, and a
    /// line in the log the first time.
    static func dispatch(
        _ number: UInt, _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        switch number {
        default: throw unknown(number)
        }
    }

    /// One bit for each number that has been logged.
    private static let logged = SpinLock(InlineArray<8, UInt64>(repeating: 0))

    @inline(never)
    private static func unknown(_ number: UInt) -> Errno {
        guard number < 512 else { return .notImplemented }
        let index = Int(number >> 6)
        let bit = UInt64(1) << UInt64(number & 63)
        let isFirst = logged.withLock { words in
            let isFirst = words[index] & bit == 0
            words[index] |= bit
            return isFirst
        }
        if isFirst { SystemCallNames.log(number) }
        return .notImplemented
    }
}
