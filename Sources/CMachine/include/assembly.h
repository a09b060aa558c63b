// Macros that assembly files share.
#ifndef ASSEMBLY_H
#define ASSEMBLY_H
#ifdef __ASSEMBLER__

// An instruction that may fault, and where to go on when it does. Self-relative 32-bit pairs.
#define EXCEPTION_TABLE_ENTRY(from, to)                                                      \
    .pushsection __ex_table, "a";                                                            \
    .balign 4;                                                                               \
    .long (from) - .;                                                                        \
    .long (to) - .;                                                                          \
    .popsection

// CLAC and STAC exist only where the processor has SMAP, so the kernel is built with a NOP of the
// same three bytes, and `machine_enable_smap_sites` puts the instruction in before SMAP is on.
#define SMAP_SITE(last_byte)                                                                 \
    771: .byte 0x0f, 0x1f, 0x00;                                                             \
    .pushsection .smap_sites, "a";                                                           \
    .balign 4;                                                                               \
    .long 771b - .;                                                                          \
    .long last_byte;                                                                         \
    .popsection
#define ASM_CLAC SMAP_SITE(0xca)
#define ASM_STAC SMAP_SITE(0xcb)

.macro FUNCTION name
    .globl \name
    .type \name, @function
    .balign 16
\name:
.endm

.macro END_FUNCTION name
    .size \name, . - \name
.endm

#endif
#endif
