// The registers of an interrupted context as the entry code saves them, lowest address first.
// Offsets for assembly are in pt_regs_offsets.h and checked here.
#ifndef PT_REGS_H
#define PT_REGS_H
#include <stddef.h>
#include <stdint.h>
#include "pt_regs_offsets.h"

struct pt_regs {
    uint64_t r15;
    uint64_t r14;
    uint64_t r13;
    uint64_t r12;
    uint64_t bp;
    uint64_t bx;
    uint64_t r11;
    uint64_t r10;
    uint64_t r9;
    uint64_t r8;
    uint64_t ax;
    uint64_t cx;
    uint64_t dx;
    uint64_t si;
    uint64_t di;
    uint64_t orig_ax; // System call: its number. Exception: -1. Interrupt: its vector.
    // From here on as the processor pushes it (Intel SDM volume 3, 6.14.2).
    uint64_t ip;
    uint64_t cs;
    uint64_t flags;
    uint64_t sp;
    uint64_t ss;
};

_Static_assert(sizeof(struct pt_regs) == PT_REGS_SIZE, "");
_Static_assert(offsetof(struct pt_regs, r15) == PT_R15, "");
_Static_assert(offsetof(struct pt_regs, bp) == PT_BP, "");
_Static_assert(offsetof(struct pt_regs, bx) == PT_BX, "");
_Static_assert(offsetof(struct pt_regs, r11) == PT_R11, "");
_Static_assert(offsetof(struct pt_regs, ax) == PT_AX, "");
_Static_assert(offsetof(struct pt_regs, cx) == PT_CX, "");
_Static_assert(offsetof(struct pt_regs, di) == PT_DI, "");
_Static_assert(offsetof(struct pt_regs, orig_ax) == PT_ORIG_AX, "");
_Static_assert(offsetof(struct pt_regs, ip) == PT_IP, "");
_Static_assert(offsetof(struct pt_regs, cs) == PT_CS, "");
_Static_assert(offsetof(struct pt_regs, flags) == PT_FLAGS, "");
_Static_assert(offsetof(struct pt_regs, sp) == PT_SP, "");
_Static_assert(offsetof(struct pt_regs, ss) == PT_SS, "");
#endif
