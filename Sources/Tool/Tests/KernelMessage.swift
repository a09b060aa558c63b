// What the kernel says on its console that the tests wait for: the one table of these texts.

/// Texts that the kernel's messages contain.
enum KernelMessage {
    // Bad input; each ends the boot with a panic, hence status 62.
    static let noRamdisk = "no initial ramdisk"
    static let badRamdisk = "initial ramdisk is truncated or corrupt"
    static let cannotExecuteInit = "cannot execute init"
    static let tooLittleMemory = "too little memory"
    /// Followed by `: WORD`. A word that begins with `apus.` ends the boot; another one is passed on
    /// to init, as Linux does.
    static let unknownOption = "unknown option on the command line"
    /// Followed by `: WORD`; ends the boot.
    static let badOptionValue = "bad value on the command line"

    // Endings.
    /// Followed by the status, 128 + signal if one killed init: the kernel's last line when init exits.
    static let exitStatus = "apus: exit status "
    /// After `halt`.
    static let halted = "System halted"
    /// With `apus.bench=boot`, as init is about to run its first instruction:
    /// `apus: boot: entry TSC=N init TSC=N`, decimal.
    static let bootBench = "apus: boot: "
}
