// The requests of ioctl(2) that terminals know (asm-generic/ioctls.h).

/// Numbers of requests.
enum TerminalRequest {
    static let getSettings: UInt32 = 0x5401  // TCGETS
    static let setSettings: UInt32 = 0x5402  // TCSETS
    static let setSettingsWait: UInt32 = 0x5403  // TCSETSW
    static let setSettingsFlush: UInt32 = 0x5404  // TCSETSF
    static let getOldSettings: UInt32 = 0x5405  // TCGETA
    static let setOldSettings: UInt32 = 0x5406  // TCSETA
    static let setOldSettingsWait: UInt32 = 0x5407  // TCSETAW
    static let setOldSettingsFlush: UInt32 = 0x5408  // TCSETAF
    static let sendBreak: UInt32 = 0x5409  // TCSBRK
    static let flow: UInt32 = 0x540a  // TCXONC
    static let flush: UInt32 = 0x540b  // TCFLSH
    static let setExclusive: UInt32 = 0x540c  // TIOCEXCL
    static let clearExclusive: UInt32 = 0x540d  // TIOCNXCL
    static let setControlling: UInt32 = 0x540e  // TIOCSCTTY
    static let getForeground: UInt32 = 0x540f  // TIOCGPGRP
    static let setForeground: UInt32 = 0x5410  // TIOCSPGRP
    static let outputCount: UInt32 = 0x5411  // TIOCOUTQ
    static let simulateInput: UInt32 = 0x5412  // TIOCSTI
    static let getWindowSize: UInt32 = 0x5413  // TIOCGWINSZ
    static let setWindowSize: UInt32 = 0x5414  // TIOCSWINSZ
    static let getModem: UInt32 = 0x5415  // TIOCMGET
    static let setModemBits: UInt32 = 0x5416  // TIOCMBIS
    static let clearModemBits: UInt32 = 0x5417  // TIOCMBIC
    static let setModem: UInt32 = 0x5418  // TIOCMSET
    static let getSoftCarrier: UInt32 = 0x5419  // TIOCGSOFTCAR
    static let setSoftCarrier: UInt32 = 0x541a  // TIOCSSOFTCAR
    static let inputCount: UInt32 = 0x541b  // FIONREAD, TIOCINQ
    static let getSerial: UInt32 = 0x541e  // TIOCGSERIAL
    static let setSerial: UInt32 = 0x541f  // TIOCSSERIAL
    static let giveUp: UInt32 = 0x5422  // TIOCNOTTY
    static let setDiscipline: UInt32 = 0x5423  // TIOCSETD
    static let getDiscipline: UInt32 = 0x5424  // TIOCGETD
    static let sendBreakTenths: UInt32 = 0x5425  // TCSBRKP
    static let beginBreak: UInt32 = 0x5427  // TIOCSBRK
    static let endBreak: UInt32 = 0x5428  // TIOCCBRK
    static let getSession: UInt32 = 0x5429  // TIOCGSID
    static let getSettings2: UInt32 = 0x802c_542a  // TCGETS2
    static let setSettings2: UInt32 = 0x402c_542b  // TCSETS2
    static let setSettings2Wait: UInt32 = 0x402c_542c  // TCSETSW2
    static let setSettings2Flush: UInt32 = 0x402c_542d  // TCSETSF2
    static let getDeviceNumber: UInt32 = 0x8004_5432  // TIOCGDEV
    static let hangUp: UInt32 = 0x5437  // TIOCVHANGUP
    static let getExclusive: UInt32 = 0x8004_5440  // TIOCGEXCL
    static let getCounts: UInt32 = 0x545d  // TIOCGICOUNT
}
