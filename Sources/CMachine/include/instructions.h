// One privileged or otherwise inexpressible instruction per function.
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H
#include <stdint.h>
#ifdef __APUS_KERNEL__

#define INSTRUCTION static inline __attribute__((always_inline, swift_attr("@_semantics(\"no_performance_analysis\")")))

INSTRUCTION void machine_out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }
INSTRUCTION void machine_out16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port)); }
INSTRUCTION void machine_out32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port)); }
INSTRUCTION uint8_t machine_in8(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
INSTRUCTION uint16_t machine_in16(uint16_t port) { uint16_t v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
INSTRUCTION uint32_t machine_in32(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

INSTRUCTION void machine_halt(void) { __asm__ volatile("hlt" ::: "memory"); }
// `sti` keeps interrupts off for one more instruction, so none can slip in before the halt
// (Intel SDM volume 2, STI).
INSTRUCTION void machine_enable_and_halt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }
INSTRUCTION void machine_breakpoint(void) { __asm__ volatile("int3" ::: "memory"); }
INSTRUCTION void machine_pause(void) { __asm__ volatile("pause" ::: "memory"); }
INSTRUCTION void machine_sti(void) { __asm__ volatile("sti" ::: "memory"); }
INSTRUCTION void machine_cli(void) { __asm__ volatile("cli" ::: "memory"); }
INSTRUCTION uint64_t machine_read_flags(void) { uint64_t f; __asm__ volatile("pushfq; popq %0" : "=r"(f)::"memory"); return f; }
INSTRUCTION void machine_fence(void) { __asm__ volatile("mfence" ::: "memory"); }
INSTRUCTION void machine_compiler_barrier(void) { __asm__ volatile("" ::: "memory"); }

INSTRUCTION uint64_t machine_rdtsc(void) { uint32_t a, d; __asm__ volatile("rdtsc" : "=a"(a), "=d"(d)::"memory"); return ((uint64_t)d << 32) | a; }
INSTRUCTION uint64_t machine_rdtsc_ordered(void) { uint32_t a, d; __asm__ volatile("lfence; rdtsc" : "=a"(a), "=d"(d)::"memory"); return ((uint64_t)d << 32) | a; }
INSTRUCTION uint64_t machine_rdmsr(uint32_t msr) { uint32_t a, d; __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr)); return ((uint64_t)d << 32) | a; }
INSTRUCTION void machine_wrmsr(uint32_t msr, uint64_t v) { __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory"); }

struct machine_cpuid { uint32_t eax, ebx, ecx, edx; };
INSTRUCTION struct machine_cpuid machine_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct machine_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

#define CONTROL_REGISTER(n)                                                                  \
    INSTRUCTION uint64_t machine_read_cr##n(void) { uint64_t v; __asm__ volatile("movq %%cr" #n ", %0" : "=r"(v)::"memory"); return v; } \
    INSTRUCTION void machine_write_cr##n(uint64_t v) { __asm__ volatile("movq %0, %%cr" #n ::"r"(v) : "memory"); }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)
INSTRUCTION void machine_xsetbv(uint32_t reg, uint64_t v) { __asm__ volatile("xsetbv" ::"c"(reg), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))); }
INSTRUCTION void machine_invlpg(uintptr_t address) { __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory"); }

struct __attribute__((packed)) machine_table_register { uint16_t limit; uint64_t base; };
INSTRUCTION void machine_lgdt(uint64_t base, uint16_t limit) { struct machine_table_register r = {limit, base}; __asm__ volatile("lgdt %0" ::"m"(r)); }
INSTRUCTION void machine_lidt(uint64_t base, uint16_t limit) { struct machine_table_register r = {limit, base}; __asm__ volatile("lidt %0" ::"m"(r)); }
INSTRUCTION void machine_ltr(uint16_t selector) { __asm__ volatile("ltr %0" ::"r"(selector)); }
INSTRUCTION void machine_swapgs(void) { __asm__ volatile("swapgs" ::: "memory"); }
INSTRUCTION uint64_t machine_rdfsbase(void) { uint64_t v; __asm__ volatile("rdfsbase %0" : "=r"(v)); return v; }
INSTRUCTION void machine_wrfsbase(uint64_t v) { __asm__ volatile("wrfsbase %0" ::"r"(v)); }
INSTRUCTION uint64_t machine_read_dr6(void) { uint64_t v; __asm__ volatile("movq %%dr6, %0" : "=r"(v)); return v; }
INSTRUCTION void machine_write_dr6(uint64_t v) { __asm__ volatile("movq %0, %%dr6" ::"r"(v)); }

// The user's floating-point status, read out of an FXSAVE image (Intel SDM volume 1, 10.5.1).
struct machine_fp_status { uint16_t control, status; uint32_t mxcsr; };
INSTRUCTION struct machine_fp_status machine_floating_point_status(void)
{
    uint32_t image[128] __attribute__((aligned(16)));
    __asm__ volatile("fxsave64 %0" : "=m"(image)::"memory");
    struct machine_fp_status r = {(uint16_t)image[0], (uint16_t)(image[0] >> 16), image[6]};
    return r;
}
INSTRUCTION uintptr_t machine_frame_pointer(void) { return (uintptr_t)__builtin_frame_address(0); }

// Device registers: exactly one access of the given width.
INSTRUCTION uint8_t machine_mmio_read8(uintptr_t a) { uint8_t v; __asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(a) : "memory"); return v; }
INSTRUCTION void machine_mmio_write8(uintptr_t a, uint8_t v) { __asm__ volatile("movb %0, (%1)" ::"q"(v), "r"(a) : "memory"); }
INSTRUCTION uint16_t machine_mmio_read16(uintptr_t a) { uint16_t v; __asm__ volatile("movw (%1), %0" : "=r"(v) : "r"(a) : "memory"); return v; }
INSTRUCTION void machine_mmio_write16(uintptr_t a, uint16_t v) { __asm__ volatile("movw %0, (%1)" ::"r"(v), "r"(a) : "memory"); }
INSTRUCTION uint32_t machine_mmio_read32(uintptr_t a) { uint32_t v; __asm__ volatile("movl (%1), %0" : "=r"(v) : "r"(a) : "memory"); return v; }
INSTRUCTION void machine_mmio_write32(uintptr_t a, uint32_t v) { __asm__ volatile("movl %0, (%1)" ::"r"(v), "r"(a) : "memory"); }
INSTRUCTION uint64_t machine_mmio_read64(uintptr_t a) { uint64_t v; __asm__ volatile("movq (%1), %0" : "=r"(v) : "r"(a) : "memory"); return v; }
INSTRUCTION void machine_mmio_write64(uintptr_t a, uint64_t v) { __asm__ volatile("movq %0, (%1)" ::"r"(v), "r"(a) : "memory"); }

#endif
#endif
