// The executable's only top-level file; the CPU enters at `apus_start` (CMachine/X86/start.S).
