// Floating-point and vector state of user programs. The kernel itself is built without any such
// instruction, so the registers always hold some user thread's state (or nobody's).
//
// The image is XSAVE's standard format (Intel SDM volume 1, 13.4), or FXSAVE's 512 bytes on processors
// without XSAVE. Every CPU has the same features on; `setUpThisCPU` sees to it.

import CMachine

public enum FPU {
    /// Bytes of one image, a multiple of 64. Set by `detect`, constant afterwards.
    nonisolated(unsafe) public private(set) static var imageSize = 512
    /// State components that are saved, as in XCR0; 3 (x87 and SSE) with FXSAVE.
    nonisolated(unsafe) public private(set) static var features: UInt64 = 3
    nonisolated(unsafe) public private(set) static var hasXSAVE = false
    nonisolated(unsafe) private static var hasXSAVEOPT = false
    /// The state a new program starts with.
    nonisolated(unsafe) private static var initialImage: UnsafeRawPointer? = nil
    nonisolated(unsafe) private static var mark = state_mark()
    /// Bits of MXCSR that may be set; loading others faults (Intel SDM volume 1, 11.6.6).
    nonisolated(unsafe) private static var mxcsrMask: UInt32 = 0xffbf

    public static let imageAlignment = 64
    /// Components a program may have: x87, SSE, AVX and the three parts of AVX-512.
    private static let supported: UInt64 = 0b1110_0111
    private static let initialControlWord: UInt16 = 0x37f
    private static let initialMXCSR: UInt32 = 0x1f80
    static let legacySize = 512
    static let headerSize = 64

    /// Reads what the processor has and turns it on for the boot CPU. Once, before any user thread.
    public static func detect() {
        let leaf1 = machine_cpuid(1, 0)
        unsafe hasXSAVE = leaf1.ecx & (1 << 26) != 0
        if unsafe hasXSAVE {
            let leafD = machine_cpuid(0xd, 0)
            unsafe features = (UInt64(leafD.edx) << 32 | UInt64(leafD.eax)) & supported
            // AVX-512 comes with all three parts and AVX, or not at all.
            if unsafe features & 0b1110_0000 != 0b1110_0000 || features & 4 == 0 { unsafe features &= 0b111 }
        }
        setUpThisCPU()
        if unsafe hasXSAVE {
            // With XCR0 set, EBX is the size of what is turned on (Intel SDM volume 2, CPUID leaf 0DH).
            unsafe imageSize = (Int(machine_cpuid(0xd, 0).ebx) + 63) & ~63
            unsafe hasXSAVEOPT = machine_cpuid(0xd, 1).eax & 1 != 0
        }
        readMXCSRMask()
        let image = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: imageSize, alignment: imageAlignment)
        unsafe initialize(image)
        unsafe initialImage = UnsafeRawPointer(image)
    }

    /// Turns floating point and its saving on, alike on each CPU (CR0, CR4, XCR0).
    public static func setUpThisCPU() {
        let monitor: UInt64 = 1 << 1
        let emulation: UInt64 = 1 << 2
        let taskSwitched: UInt64 = 1 << 3
        let numericError: UInt64 = 1 << 5
        machine_write_cr0(machine_read_cr0() & ~(emulation | taskSwitched) | monitor | numericError)
        // OSFXSR, OSXMMEXCPT and OSXSAVE.
        unsafe machine_write_cr4(machine_read_cr4() | 1 << 9 | 1 << 10 | (hasXSAVE ? 1 << 18 : 0))
        if unsafe hasXSAVE { unsafe machine_xsetbv(0, features) }
        machine_fninit()
    }

    private static func readMXCSRMask() {
        let image = UnsafeMutableRawPointer.allocate(byteCount: legacySize, alignment: imageAlignment)
        // The buffer has the 512 bytes that FXSAVE writes; the mask is at 28.
        unsafe image.initializeMemory(as: UInt8.self, repeating: 0, count: legacySize)
        unsafe machine_fxsave(image)
        let mask = unsafe image.load(fromByteOffset: 28, as: UInt32.self)
        if mask != 0 { unsafe mxcsrMask = mask }
        unsafe image.deallocate()
    }

    /// Makes `image` (of `imageSize` bytes, aligned) the state a new program starts with.
    public static func initialize(_ image: UnsafeMutableRawPointer) {
        // The caller gives `imageSize` bytes, which is at least the legacy region.
        unsafe image.initializeMemory(as: UInt8.self, repeating: 0, count: imageSize)
        unsafe image.storeBytes(of: initialControlWord, as: UInt16.self)
        unsafe image.storeBytes(of: initialMXCSR, toByteOffset: 24, as: UInt32.self)
    }

    /// Writes the registers to `image`. Interrupts or preemption are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func save(to image: UnsafeMutableRawPointer) {
        // The caller gives an aligned image of `imageSize` bytes.
        if unsafe hasXSAVEOPT {
            unsafe machine_xsaveopt(image, features)
        } else if unsafe hasXSAVE {
            unsafe machine_xsave(image, features)
        } else {
            unsafe machine_fxsave(image)
        }
    }

    /// Loads the registers from `image`, which `initialize`, `save` or `sanitize` made. Interrupts or
    /// preemption are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func restore(from image: UnsafeRawPointer) {
        // Only images that cannot fault get here: see `sanitize`.
        if unsafe hasXSAVE { unsafe machine_xrstor(image, features) } else { unsafe machine_fxrstor(image) }
    }

    // MARK: In user memory

    /// Sets what `save(toUser:)` writes beside the registers: three words into the bytes that the processor leaves to
    /// software, of which the third's lower half is `imageSize`, and one behind the image. Boot only.
    public static func setMark(_ first: UInt64, _ second: UInt64, _ third: UInt64, last: UInt32) {
        unsafe mark = state_mark(first: first, second: second, third: third, last: last)
    }

    /// Bytes that `save(toUser:)` writes.
    @inline(__always)
    public static var markedSize: Int { unsafe hasXSAVE ? imageSize &+ 4 : imageSize }

    /// Writes the registers to the program's memory at `address`, a multiple of 64, and the mark; false if that cannot be
    /// written. The caller has checked that `markedSize` bytes there are the user's. Task context: pages may be brought
    /// in.
    @inline(__always)
    public static func save(toUser address: UInt) -> Bool {
        if unsafe hasXSAVE { return unsafe user_save_state(address, features, &mark) == 0 }
        return user_save_legacy_state(address) == 0
    }

    /// Loads the registers from the program's memory, as `save(toUser:)` writes them. False if they cannot be read, are
    /// not marked so, or the processor refuses them; the registers are then partly the old ones.
    @inline(__always)
    public static func restore(fromUser address: UInt) -> Bool {
        if unsafe hasXSAVE { return unsafe user_restore_state(address, features, &mark) == 0 }
        return user_restore_legacy_state(address) == 0
    }

    /// Makes the registers those a new program starts with.
    @inline(__always)
    public static func reset() {
        // Made by `detect`, and constant.
        if let image = unsafe initialImage { unsafe restore(from: image) }
    }

    /// Makes an image that a user program wrote loadable: bits that would fault are cleared (Intel SDM
    /// volume 1, 13.8.1: unknown components, the compacted format, reserved bytes of the header, MXCSR).
    public static func sanitize(_ image: UnsafeMutableRawPointer) {
        // All offsets lie in the legacy region and, with XSAVE, in the header behind it.
        let mxcsr = unsafe image.load(fromByteOffset: 24, as: UInt32.self)
        unsafe image.storeBytes(of: mxcsr & mxcsrMask, toByteOffset: 24, as: UInt32.self)
        guard unsafe hasXSAVE else { return }
        let present = unsafe image.load(fromByteOffset: legacySize, as: UInt64.self)
        unsafe image.storeBytes(of: present & features, toByteOffset: legacySize, as: UInt64.self)
        for offset in stride(from: 8, to: headerSize, by: 8) {
            unsafe image.storeBytes(of: 0, toByteOffset: legacySize + offset, as: UInt64.self)
        }
    }
}
