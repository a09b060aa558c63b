// The C functions that the Swift runtime calls. Only in the kernel: on the host they are the C library's.
// (memcpy and its like are in CMachine/X86/memory.S.)

#if APUS_KERNEL
    import CMachine
    import Machine
    import Primitives

    @c(posix_memalign)
    public func runtimeAllocate(
        _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: UInt, _ size: UInt
    ) -> Int32 {
        // Sizes above Int.max end as "too much at once".
        let size = Int(truncatingIfNeeded: size)
        if unsafe MemoryRoot.pointer == nil {
            unsafe result.pointee = BootHeap.allocate(size, alignment: Int(truncatingIfNeeded: alignment))
        } else {
            unsafe result.pointee = KernelHeap.allocate(size, alignment: Int(truncatingIfNeeded: alignment))
        }
        return 0
    }

    /// `free`: the linker script gives it that name, which Swift keeps for itself.
    @c(apus_heap_free)
    public func runtimeFree(_ pointer: UnsafeMutableRawPointer?) {
        guard let pointer = unsafe pointer else { return }
        if unsafe MemoryRoot.pointer == nil { return }
        unsafe KernelHeap.free(pointer)
    }

    /// Seeds of hash tables: the kernel has none, but the runtime refers to it. Time is entropy enough for what
    /// is never used to keep a secret.
    @c(arc4random_buf)
    public func runtimeRandom(_ buffer: UnsafeMutableRawPointer, _ count: UInt) {
        var state = machine_rdtsc()
        for index in 0..<Int(truncatingIfNeeded: count) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // The caller's buffer has `count` bytes.
            unsafe (buffer + index).storeBytes(of: UInt8(truncatingIfNeeded: state >> 56), as: UInt8.self)
        }
    }

    /// `print` and the runtime's own messages, byte by byte to the console.
    @c(putchar)
    public func runtimePutCharacter(_ character: Int32) -> Int32 {
        unsafe LogHooks.console?(UInt8(truncatingIfNeeded: character))
        return character
    }
#endif
