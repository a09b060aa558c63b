// What a program finds on its stack at its first instruction (System V ABI for x86-64, 3.4.1), from
// low to high addresses:
//
//   argc, argv[0] ... NULL, envp[0] ... NULL, auxiliary vector ... AT_NULL    <- rsp, 16-byte aligned
//   (gap) 16 random bytes, "x86_64"
//   argument strings, environment strings, path of the executed file, 8 zero bytes   <- top
//
// The strings lie one behind the other, as programs that change their own title expect.

import Machine

/// The entries of the auxiliary vector (linux/auxvec.h).
enum AuxiliaryKey: UInt {
    case null = 0  // AT_NULL
    case programHeaders = 3  // AT_PHDR
    case programHeaderSize = 4  // AT_PHENT
    case programHeaderCount = 5  // AT_PHNUM
    case pageSize = 6  // AT_PAGESZ
    case base = 7  // AT_BASE
    case flags = 8  // AT_FLAGS
    case entry = 9  // AT_ENTRY
    case user = 11  // AT_UID
    case effectiveUser = 12  // AT_EUID
    case group = 13  // AT_GID
    case effectiveGroup = 14  // AT_EGID
    case platform = 15  // AT_PLATFORM
    case hardware = 16  // AT_HWCAP
    case clockTicks = 17  // AT_CLKTCK
    case secure = 23  // AT_SECURE
    case random = 25  // AT_RANDOM
    case hardware2 = 26  // AT_HWCAP2
    case rseqFeatureSize = 27  // AT_RSEQ_FEATURE_SIZE
    case rseqAlignment = 28  // AT_RSEQ_ALIGN
    case executedName = 31  // AT_EXECFN
    case vdso = 33  // AT_SYSINFO_EHDR
    case minimumSignalStack = 51  // AT_MINSIGSTKSZ
}

/// Where everything goes, given how many arguments there are and how long their strings.
struct InitialStack: Equatable {
    static let platform: StaticString = "x86_64"
    private static let platformSize: UInt = 7

    /// First byte of the argument strings, of the environment strings, of the executed file's path.
    let argumentStrings: UInt
    let environmentStrings: UInt
    let executedName: UInt
    let platform: UInt
    let random: UInt
    /// Address of argc: the stack pointer at the first instruction.
    let pointer: UInt
    let argumentCount: Int
    let environmentCount: Int
    let auxiliaryCount: Int

    /// `sizes`: bytes with final zeros. Nil if it does not fit below `top`.
    init?(
        top: UInt, argumentCount: Int, environmentCount: Int, argumentSize: UInt, environmentSize: UInt,
        executedNameSize: UInt, auxiliaryCount: Int
    ) {
        let words = UInt(bitPattern: 1 + argumentCount + 1 + environmentCount + 1 + 2 * auxiliaryCount)
        let need =
            8 + executedNameSize + environmentSize + argumentSize + Self.platformSize + 16 + 64 + words * 8
        guard top > need else { return nil }
        executedName = top - 8 - executedNameSize
        environmentStrings = executedName - environmentSize
        argumentStrings = environmentStrings - argumentSize
        platform = (argumentStrings & ~15) - 16
        random = platform - 16
        pointer = (random - words * 8) & ~15
        self.argumentCount = argumentCount
        self.environmentCount = environmentCount
        self.auxiliaryCount = auxiliaryCount
    }

    /// Number of words from `pointer` on.
    var wordCount: Int { 1 + argumentCount + 1 + environmentCount + 1 + 2 * auxiliaryCount }
}
