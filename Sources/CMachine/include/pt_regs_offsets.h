// Offsets into struct pt_regs and the segment selectors, for assembly.
#ifndef PT_REGS_OFFSETS_H
#define PT_REGS_OFFSETS_H
#define PT_R15 0
#define PT_R14 8
#define PT_R13 16
#define PT_R12 24
#define PT_BP 32
#define PT_BX 40
#define PT_R11 48
#define PT_R10 56
#define PT_R9 64
#define PT_R8 72
#define PT_AX 80
#define PT_CX 88
#define PT_DX 96
#define PT_SI 104
#define PT_DI 112
#define PT_ORIG_AX 120
#define PT_IP 128
#define PT_CS 136
#define PT_FLAGS 144
#define PT_SP 152
#define PT_SS 160
#define PT_REGS_SIZE 168

// Segment selectors, with the numbers that Linux programs know. SYSRET wants user DS 8 above and
// user CS 16 above the base in STAR (Intel SDM volume 2, SYSRET).
#define SELECTOR_KERNEL_CS 0x10
#define SELECTOR_KERNEL_DS 0x18
#define SELECTOR_USER32_CS 0x23
#define SELECTOR_USER_DS 0x2b
#define SELECTOR_USER_CS 0x33
#define SELECTOR_TSS 0x40
#define SELECTOR_CPU_NUMBER 0x7b
#endif
