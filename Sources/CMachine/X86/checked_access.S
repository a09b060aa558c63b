// Accesses that may fault, each with an entry in the exception table and its fixup out of line.

#include "assembly.h"

    .text

// bool machine_load_checked(uintptr_t address, uint64_t *value)
FUNCTION machine_load_checked
1:  movq (%rdi), %rax
    movq %rax, (%rsi)
    movl $1, %eax
    ret
END_FUNCTION machine_load_checked
    EXCEPTION_TABLE_ENTRY(1b, access_failed)

// bool machine_load_byte_checked(uintptr_t address, uint8_t *value)
FUNCTION machine_load_byte_checked
1:  movb (%rdi), %al
    movb %al, (%rsi)
    movl $1, %eax
    ret
END_FUNCTION machine_load_byte_checked
    EXCEPTION_TABLE_ENTRY(1b, access_failed)

// bool machine_rdmsr_checked(uint32_t msr, uint64_t *value)
FUNCTION machine_rdmsr_checked
    movl %edi, %ecx
1:  rdmsr
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, (%rsi)
    movl $1, %eax
    ret
END_FUNCTION machine_rdmsr_checked
    EXCEPTION_TABLE_ENTRY(1b, access_failed)

// bool machine_wrmsr_checked(uint32_t msr, uint64_t value)
FUNCTION machine_wrmsr_checked
    movl %edi, %ecx
    movq %rsi, %rax
    movq %rsi, %rdx
    shrq $32, %rdx
1:  wrmsr
    movl $1, %eax
    ret
END_FUNCTION machine_wrmsr_checked
    EXCEPTION_TABLE_ENTRY(1b, access_failed)

    .section .fixup, "ax", @progbits
access_failed:
    xorl %eax, %eax
    ret

    .section .note.GNU-stack, "", @progbits
