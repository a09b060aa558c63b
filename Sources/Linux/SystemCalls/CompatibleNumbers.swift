// The numbers of `int $0x80`, which are those of 32-bit x86 (asm/unistd_32.h), and what they mean here.
//
// Only calls whose arguments are numbers, strings and bytes: structures that hold pointers or longs look different
// to 32-bit code, and 64-bit programs, the only ones there are, have the real calls.

enum CompatibleNumbers {
    /// Number in the table of `time`, which stores 32 bits here; no program can name it otherwise.
    static let time: UInt = 1 << 32 | 13

    /// The number of the 64-bit call; nil if there is none for it.
    static func native(_ number: UInt32) -> UInt? {
        switch number {
        case 0: 219  // restart_syscall
        case 1: 60  // exit
        case 2: 57  // fork
        case 3: 0  // read
        case 4: 1  // write
        case 5: 2  // open
        case 6: 3  // close
        case 8: 85  // creat
        case 9: 86  // link
        case 10: 87  // unlink
        case 12: 80  // chdir
        case 13: time
        case 14: 133  // mknod
        case 15: 90  // chmod
        case 19: 8  // lseek
        case 20: 39  // getpid
        case 21: 165  // mount
        case 24: 102  // getuid
        case 27: 37  // alarm
        case 29: 34  // pause
        case 33: 21  // access
        case 36: 162  // sync
        case 37: 62  // kill
        case 38: 82  // rename
        case 39: 83  // mkdir
        case 40: 84  // rmdir
        case 41: 32  // dup
        case 42: 22  // pipe
        case 45: 12  // brk
        case 47: 104  // getgid
        case 49: 107  // geteuid
        case 50: 108  // getegid
        case 52: 166  // umount2
        case 57: 109  // setpgid
        case 60: 95  // umask
        case 61: 161  // chroot
        case 63: 33  // dup2
        case 64: 110  // getppid
        case 65: 111  // getpgrp
        case 66: 112  // setsid
        case 74: 170  // sethostname
        case 83: 88  // symlink
        case 85: 89  // readlink
        case 87: 167  // swapon
        case 88: 169  // reboot
        case 91: 11  // munmap
        case 94: 91  // fchmod
        case 96: 140  // getpriority
        case 97: 141  // setpriority
        case 101: 173  // ioperm
        case 103: 103  // syslog
        case 110: 172  // iopl
        case 111: 153  // vhangup
        case 115: 168  // swapoff
        case 118: 74  // fsync
        case 121: 171  // setdomainname
        case 122: 63  // uname
        case 125: 10  // mprotect
        case 132: 121  // getpgid
        case 133: 81  // fchdir
        case 136: 135  // personality
        case 143: 73  // flock
        case 144: 26  // msync
        case 147: 124  // getsid
        case 148: 75  // fdatasync
        case 150: 149  // mlock
        case 151: 150  // munlock
        case 152: 151  // mlockall
        case 153: 152  // munlockall
        case 154: 142  // sched_setparam
        case 155: 143  // sched_getparam
        case 157: 145  // sched_getscheduler
        case 158: 24  // sched_yield
        case 159: 146  // sched_get_priority_max
        case 160: 147  // sched_get_priority_min
        case 163: 25  // mremap
        case 168: 7  // poll
        case 172: 157  // prctl
        case 179: 130  // rt_sigsuspend
        case 183: 79  // getcwd
        case 184: 125  // capget
        case 185: 126  // capset
        case 190: 58  // vfork
        case 198: 94  // lchown
        case 199: 102  // getuid
        case 200: 104  // getgid
        case 201: 107  // geteuid
        case 202: 108  // getegid
        case 203: 113  // setreuid
        case 204: 114  // setregid
        case 205: 115  // getgroups
        case 206: 116  // setgroups
        case 207: 93  // fchown
        case 208: 117  // setresuid
        case 209: 118  // getresuid
        case 210: 119  // setresgid
        case 211: 120  // getresgid
        case 212: 92  // chown
        case 213: 105  // setuid
        case 214: 106  // setgid
        case 215: 122  // setfsuid
        case 216: 123  // setfsgid
        case 218: 27  // mincore
        case 219: 28  // madvise
        case 220: 217  // getdents64
        case 224: 186  // gettid
        case 238: 200  // tkill
        case 252: 231  // exit_group
        case 254: 213  // epoll_create
        case 258: 218  // set_tid_address
        case 270: 234  // tgkill
        case 291: 253  // inotify_init
        case 295: 257  // openat
        case 296: 258  // mkdirat
        case 297: 259  // mknodat
        case 298: 260  // fchownat
        case 301: 263  // unlinkat
        case 302: 264  // renameat
        case 303: 265  // linkat
        case 304: 266  // symlinkat
        case 305: 267  // readlinkat
        case 306: 268  // fchmodat
        case 307: 269  // faccessat
        case 318: 309  // getcpu
        case 323: 284  // eventfd
        case 328: 290  // eventfd2
        case 329: 291  // epoll_create1
        case 330: 292  // dup3
        case 331: 293  // pipe2
        case 332: 294  // inotify_init1
        case 344: 306  // syncfs
        case 353: 316  // renameat2
        case 355: 318  // getrandom
        case 356: 319  // memfd_create
        case 373: 48  // shutdown
        case 375: 324  // membarrier
        case 376: 325  // mlock2
        case 436: 436  // close_range
        case 439: 439  // faccessat2
        default: nil
        }
    }
}
