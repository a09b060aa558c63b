// From a system call's number to its function: one switch (arch/x86 numbers, asm/unistd_64.h).

@_spi(ContextEntry) import Primitives

public enum SystemCallTable {
    /// Carries out system call `number`. Numbers that no case names are not implemented: ENOSYS, and a
    /// line in the log the first time.
    static func dispatch(
        _ number: UInt, _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        switch number {
        case 9: return try SystemCalls.mmap(task, arguments)
        case 10: return try SystemCalls.mprotect(task, arguments)
        case 11: return try SystemCalls.munmap(task, arguments)
        case 12: return try SystemCalls.brk(task, arguments)
        case 13: return try SystemCalls.rt_sigaction(task, arguments)
        case 14: return try SystemCalls.rt_sigprocmask(task, arguments)
        case 15: return try SystemCalls.rt_sigreturn(task, arguments)
        case 24: return try SystemCalls.sched_yield(task, arguments)
        case 25: return try SystemCalls.mremap(task, arguments)
        case 26: return try SystemCalls.msync(task, arguments)
        case 27: return try SystemCalls.mincore(task, arguments)
        case 28: return try SystemCalls.madvise(task, arguments)
        case 34: return try SystemCalls.pause(task, arguments)
        case 35: return try SystemCalls.nanosleep(task, arguments)
        case 36: return try SystemCalls.getitimer(task, arguments)
        case 37: return try SystemCalls.alarm(task, arguments)
        case 38: return try SystemCalls.setitimer(task, arguments)
        case 39: return SystemCalls.getpid()
        case 56: return try SystemCalls.clone(task, arguments)
        case 57: return try SystemCalls.fork(task, arguments)
        case 58: return try SystemCalls.vfork(task, arguments)
        case 59: return try SystemCalls.execve(task, arguments)
        case 60: return try SystemCalls.exit(task, arguments)
        case 61: return try SystemCalls.wait4(task, arguments)
        case 62: return try SystemCalls.kill(task, arguments)
        case 63: return try SystemCalls.uname(task, arguments)
        case 96: return try SystemCalls.gettimeofday(task, arguments)
        case 97: return try SystemCalls.getrlimit(task, arguments)
        case 98: return try SystemCalls.getrusage(task, arguments)
        case 99: return try SystemCalls.sysinfo(task, arguments)
        case 100: return try SystemCalls.times(task, arguments)
        case 102: return SystemCalls.getuid()
        case 103: return try SystemCalls.syslog(task, arguments)
        case 104: return SystemCalls.getgid()
        case 105: return try SystemCalls.setuid(task, arguments)
        case 106: return try SystemCalls.setgid(task, arguments)
        case 107: return SystemCalls.geteuid()
        case 108: return SystemCalls.getegid()
        case 109: return try SystemCalls.setpgid(task, arguments)
        case 110: return try SystemCalls.getppid(task, arguments)
        case 111: return try SystemCalls.getpgrp(task, arguments)
        case 112: return try SystemCalls.setsid(task, arguments)
        case 113: return try SystemCalls.setreuid(task, arguments)
        case 114: return try SystemCalls.setregid(task, arguments)
        case 115: return try SystemCalls.getgroups(task, arguments)
        case 116: return try SystemCalls.setgroups(task, arguments)
        case 117: return try SystemCalls.setresuid(task, arguments)
        case 118: return try SystemCalls.getresuid(task, arguments)
        case 119: return try SystemCalls.setresgid(task, arguments)
        case 120: return try SystemCalls.getresgid(task, arguments)
        case 121: return try SystemCalls.getpgid(task, arguments)
        case 122: return try SystemCalls.setfsuid(task, arguments)
        case 123: return try SystemCalls.setfsgid(task, arguments)
        case 124: return try SystemCalls.getsid(task, arguments)
        case 125: return try SystemCalls.capget(task, arguments)
        case 126: return try SystemCalls.capset(task, arguments)
        case 127: return try SystemCalls.rt_sigpending(task, arguments)
        case 128: return try SystemCalls.rt_sigtimedwait(task, arguments)
        case 129: return try SystemCalls.rt_sigqueueinfo(task, arguments)
        case 130: return try SystemCalls.rt_sigsuspend(task, arguments)
        case 131: return try SystemCalls.sigaltstack(task, arguments)
        case 135: return try SystemCalls.personality(task, arguments)
        case 140: return try SystemCalls.getpriority(task, arguments)
        case 141: return try SystemCalls.setpriority(task, arguments)
        case 142: return try SystemCalls.sched_setparam(task, arguments)
        case 143: return try SystemCalls.sched_getparam(task, arguments)
        case 144: return try SystemCalls.sched_setscheduler(task, arguments)
        case 145: return try SystemCalls.sched_getscheduler(task, arguments)
        case 146: return try SystemCalls.sched_get_priority_max(task, arguments)
        case 147: return try SystemCalls.sched_get_priority_min(task, arguments)
        case 148: return try SystemCalls.sched_rr_get_interval(task, arguments)
        case 149: return try SystemCalls.mlock(task, arguments)
        case 150: return try SystemCalls.munlock(task, arguments)
        case 151: return try SystemCalls.mlockall(task, arguments)
        case 152: return try SystemCalls.munlockall(task, arguments)
        case 157: return try SystemCalls.prctl(task, arguments)
        case 158: return try SystemCalls.arch_prctl(task, arguments)
        case 159: return try SystemCalls.adjtimex(task, arguments)
        case 160: return try SystemCalls.setrlimit(task, arguments)
        case 164: return try SystemCalls.settimeofday(task, arguments)
        case 169: return try SystemCalls.reboot(task, arguments)
        case 170: return try SystemCalls.sethostname(task, arguments)
        case 171: return try SystemCalls.setdomainname(task, arguments)
        case 172: return try SystemCalls.iopl(task, arguments)
        case 173: return try SystemCalls.ioperm(task, arguments)
        case 186: return SystemCalls.gettid()
        case 200: return try SystemCalls.tkill(task, arguments)
        case 201: return try SystemCalls.time(task, arguments)
        case 202: return try SystemCalls.futex(task, arguments)
        case 203: return try SystemCalls.sched_setaffinity(task, arguments)
        case 204: return try SystemCalls.sched_getaffinity(task, arguments)
        case 218: return try SystemCalls.set_tid_address(task, arguments)
        case 219: return try SystemCalls.restart_syscall(task, arguments)
        case 227: return try SystemCalls.clock_settime(task, arguments)
        case 228: return try SystemCalls.clock_gettime(task, arguments)
        case 229: return try SystemCalls.clock_getres(task, arguments)
        case 230: return try SystemCalls.clock_nanosleep(task, arguments)
        case 231: return try SystemCalls.exit_group(task, arguments)
        case 234: return try SystemCalls.tgkill(task, arguments)
        case 247: return try SystemCalls.waitid(task, arguments)
        case 273: return try SystemCalls.set_robust_list(task, arguments)
        case 274: return try SystemCalls.get_robust_list(task, arguments)
        case 297: return try SystemCalls.rt_tgsigqueueinfo(task, arguments)
        case 302: return try SystemCalls.prlimit64(task, arguments)
        case 305: return try SystemCalls.clock_adjtime(task, arguments)
        case 309: return try SystemCalls.getcpu(task, arguments)
        case 314: return try SystemCalls.sched_setattr(task, arguments)
        case 315: return try SystemCalls.sched_getattr(task, arguments)
        case 318: return try SystemCalls.getrandom(task, arguments)
        case 322: return try SystemCalls.execveat(task, arguments)
        case 324: return try SystemCalls.membarrier(task, arguments)
        case 325: return try SystemCalls.mlock2(task, arguments)
        case 334: return try SystemCalls.rseq(task, arguments)
        case 435: return try SystemCalls.clone3(task, arguments)
        default: throw unknown(number)
        }
    }

    /// Carries out a call and returns what belongs into rax: the result, or the error number negative.
    @inline(__always)
    static func call(_ number: UInt, _ arguments: SystemCallArguments, isCompatible: Bool) -> Int {
        // The entry path runs on behalf of the calling thread.
        let task = TaskContext()
        do throws(Errno) { return try dispatch(number, task, arguments) } catch {
            if error == .restartBlock { LinuxTask.current.isCompatibleCall = isCompatible }
            return 0 &- Int(error.code)
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
