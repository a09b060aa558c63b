// The only instructions that touch user memory. Each may fault on a bad address: the exception table
// leads out of it. SMAP, where there is one, is opened (STAC) for these instructions only.
//
// Addresses have been checked to lie below the kernel before we come here.

#include "assembly.h"

// Offsets in an image of the extended state: of the header, and of the 48 bytes that are left to software (Intel SDM
// volume 1, 13.4). And in struct state_mark.
#define XSAVE_HEADER 512
#define XSAVE_SOFTWARE 464
#define MARK_SIZE 16
#define MARK_LAST 24

    .text

// size_t user_copy(void *to, const void *from, size_t bytes): bytes not copied. Either side may be the user's.
// Exact to the byte: after a fault on a word the rest goes byte by byte.
    .globl user_copy
    .type user_copy, @function
    .p2align 4
user_copy:
    ASM_STAC
    movq %rdx, %rcx
    andl $7, %edx
    shrq $3, %rcx
    jz 2f
1:  rep movsq
    testl %edx, %edx
    jz 4f
    // The last word overlaps what is copied already.
5:  movq -8(%rsi, %rdx), %rax
6:  movq %rax, -8(%rdi, %rdx)
4:  ASM_CLAC
    xorl %eax, %eax
    ret
2:  movl %edx, %ecx
3:  rep movsb
7:  ASM_CLAC
    movq %rcx, %rax
    ret
    .pushsection .fixup, "ax", @progbits
8:  leaq (%rdx, %rcx, 8), %rcx
    jmp 3b
    .popsection
    EXCEPTION_TABLE_ENTRY(1b, 8b)
    EXCEPTION_TABLE_ENTRY(5b, 2b)
    EXCEPTION_TABLE_ENTRY(6b, 2b)
    EXCEPTION_TABLE_ENTRY(3b, 7b)
    .size user_copy, . - user_copy

// size_t user_clear(void *to, size_t bytes): bytes not cleared.
    .globl user_clear
    .type user_clear, @function
    .p2align 4
user_clear:
    ASM_STAC
    xorl %eax, %eax
    movq %rsi, %rcx
    andl $7, %esi
    shrq $3, %rcx
1:  rep stosq
2:  movl %esi, %ecx
3:  rep stosb
4:  ASM_CLAC
    movq %rcx, %rax
    ret
    .pushsection .fixup, "ax", @progbits
5:  leaq (%rsi, %rcx, 8), %rcx
    jmp 3b
    .popsection
    EXCEPTION_TABLE_ENTRY(1b, 5b)
    EXCEPTION_TABLE_ENTRY(3b, 4b)
    .size user_clear, . - user_clear

// size_t user_string(char *to, const char *from, size_t limit): copies up to and without the first zero byte, `limit`
// bytes at most, and returns how many; -1 when a byte before that cannot be read.
    .globl user_string
    .type user_string, @function
    .p2align 4
user_string:
    ASM_STAC
    xorl %ecx, %ecx
    movabsq $0x0101010101010101, %r9
    movabsq $0x8080808080808080, %r10
    // Eight bytes at a time as long as none of them is zero and the limit is not near.
1:  leaq 8(%rcx), %r11
    cmpq %rdx, %r11
    ja 3f
2:  movq (%rsi, %rcx), %rax
    movq %rax, %r8
    notq %r8
    andq %r10, %r8
    movq %rax, (%rdi, %rcx)
    subq %r9, %rax
    testq %r8, %rax
    jnz 3f
    movq %r11, %rcx
    jmp 1b
3:  cmpq %rdx, %rcx
    jae 5f
4:  movzbl (%rsi, %rcx), %eax
    movb %al, (%rdi, %rcx)
    testl %eax, %eax
    jz 5f
    incq %rcx
    jmp 3b
5:  ASM_CLAC
    movq %rcx, %rax
    ret
6:  ASM_CLAC
    movq $-1, %rax
    ret
    EXCEPTION_TABLE_ENTRY(2b, 3b)
    EXCEPTION_TABLE_ENTRY(4b, 6b)
    .size user_string, . - user_string

// struct user_value user_load_N(const void *from): the value and, when it cannot be read, a second word not zero.
    .macro USER_LOAD bits, instruction, register
    .globl user_load_\bits
    .type user_load_\bits, @function
    .p2align 4
user_load_\bits:
    ASM_STAC
    xorl %edx, %edx
1:  \instruction (%rdi), \register
2:  ASM_CLAC
    ret
    .pushsection .fixup, "ax", @progbits
3:  xorl %eax, %eax
    movl $1, %edx
    jmp 2b
    .popsection
    EXCEPTION_TABLE_ENTRY(1b, 3b)
    .size user_load_\bits, . - user_load_\bits
    .endm
    USER_LOAD 8, movzbl, %eax
    USER_LOAD 16, movzwl, %eax
    USER_LOAD 32, movl, %eax
    USER_LOAD 64, movq, %rax

// size_t user_store_N(void *to, uint64_t value): 0, or 1 when it cannot be written.
    .macro USER_STORE bits, instruction, register
    .globl user_store_\bits
    .type user_store_\bits, @function
    .p2align 4
user_store_\bits:
    ASM_STAC
    xorl %eax, %eax
1:  \instruction \register, (%rdi)
2:  ASM_CLAC
    ret
    .pushsection .fixup, "ax", @progbits
3:  movl $1, %eax
    jmp 2b
    .popsection
    EXCEPTION_TABLE_ENTRY(1b, 3b)
    .size user_store_\bits, . - user_store_\bits
    .endm
    USER_STORE 8, movb, %sil
    USER_STORE 16, movw, %si
    USER_STORE 32, movl, %esi
    USER_STORE 64, movq, %rsi

// struct user_value user_compare_exchange_32(uint32_t *at, uint32_t expected, uint32_t desired): what was there, and a
// second word not zero when it cannot be read or written.
    .globl user_compare_exchange_32
    .type user_compare_exchange_32, @function
    .p2align 4
user_compare_exchange_32:
    ASM_STAC
    movl %esi, %eax
    movl %edx, %ecx
    xorl %edx, %edx
1:  lock cmpxchgl %ecx, (%rdi)
2:  ASM_CLAC
    ret
    .pushsection .fixup, "ax", @progbits
3:  movl $1, %edx
    jmp 2b
    .popsection
    EXCEPTION_TABLE_ENTRY(1b, 3b)
    .size user_compare_exchange_32, . - user_compare_exchange_32

// size_t user_save_state(void *to, uint64_t features, const struct state_mark *mark): writes the floating-point and vector
// registers in XSAVE's standard format, the header cleared before, since XSAVE leaves parts of it as they are; the mark
// into the bytes that the processor leaves to software, and its last word behind the image. 0, or 1 when something of
// that cannot be written.
    .globl user_save_state
    .type user_save_state, @function
    .p2align 4
user_save_state:
    ASM_STAC
    movq %rdx, %r8
    xorl %ecx, %ecx
    .set offset, XSAVE_HEADER
    .rept 8
1:  movq $0, offset(%rdi)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    .set offset, offset + 8
    .endr
    .set offset, 0
    .rept 3
    movq offset(%r8), %rax
1:  movq %rax, XSAVE_SOFTWARE + offset(%rdi)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
1:  movq $0, XSAVE_SOFTWARE + 24 + offset(%rdi)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    .set offset, offset + 8
    .endr
    movl MARK_SIZE(%r8), %edx
    movl MARK_LAST(%r8), %eax
1:  movl %eax, (%rdi, %rdx)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    movq %rsi, %rax
    movq %rsi, %rdx
    shrq $32, %rdx
1:  xsave64 (%rdi)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
user_state_done:
    ASM_CLAC
    movl %ecx, %eax
    ret
    .pushsection .fixup, "ax", @progbits
user_state_fault:
    movl $1, %ecx
    jmp user_state_done
    .popsection
    .size user_save_state, . - user_save_state

// size_t user_restore_state(const void *from, uint64_t features, const struct state_mark *mark): loads them, if the mark is
// there. 1 when they cannot be read, or not be loaded, or there is another mark or none; some of them may have been
// loaded then.
    .globl user_restore_state
    .type user_restore_state, @function
    .p2align 4
user_restore_state:
    ASM_STAC
    movl $1, %ecx
    movl MARK_SIZE(%rdx), %r8d
1:  movq XSAVE_SOFTWARE(%rdi), %rax
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    cmpq (%rdx), %rax
    jne user_state_done
1:  movl XSAVE_SOFTWARE + MARK_SIZE(%rdi), %eax
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    cmpl %r8d, %eax
    jne user_state_done
1:  movl (%rdi, %r8), %eax
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    cmpl MARK_LAST(%rdx), %eax
    jne user_state_done
    movq %rsi, %rax
    movq %rsi, %rdx
    shrq $32, %rdx
1:  xrstor64 (%rdi)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    xorl %ecx, %ecx
    jmp user_state_done
    .size user_restore_state, . - user_restore_state

// The same in the format of processors without XSAVE, which has neither header nor mark.
    .macro USER_LEGACY_STATE name, instruction
    .globl \name
    .type \name, @function
    .p2align 4
\name:
    ASM_STAC
    xorl %ecx, %ecx
1:  \instruction (%rdi)
    EXCEPTION_TABLE_ENTRY(1b, user_state_fault)
    jmp user_state_done
    .size \name, . - \name
    .endm
    USER_LEGACY_STATE user_save_legacy_state, fxsave64
    USER_LEGACY_STATE user_restore_legacy_state, fxrstor64

    .section .note.GNU-stack, "", @progbits
