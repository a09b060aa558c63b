// NMI, #DF, #MC and #DB: they may come at any instruction, also where the stack pointer or GS is still the
// user's, so each has its own stack (IST), and what GS is must be found out.
//
// The sign of GS base tells nothing here: the kernel lies in the lower half, and with FSGSBASE a user
// program can set any value. Instead the word just above the top of each of these stacks holds the address
// of the CPU's area. The old GS base is put back at the end, whatever it was; KERNEL_GS_BASE is not
// touched. So it is right on both sides of every SWAPGS.

#include "entry.h"

    .text

// Builds PtRegs, and makes GS the kernel's: r12 holds the old GS base, r13 the area.
.macro PARANOID_ENTER
    cld
    ASM_CLAC
    PUSH_REGS
    movl $MSR_GS_BASE, %ecx
    rdmsr
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, %r12
    movq PT_REGS_SIZE(%rsp), %r13
    cmpq %r12, %r13
    je 990f
    movq %r13, %rax
    movq %r13, %rdx
    shrq $32, %rdx
    wrmsr
990:
.endm

.macro PARANOID_LEAVE
    cmpq %r12, %r13
    je 991f
    movl $MSR_GS_BASE, %ecx
    movq %r12, %rax
    movq %r12, %rdx
    shrq $32, %rdx
    wrmsr
991:
.endm

FUNCTION apus_nmi_entry
    pushq $-1
    PARANOID_ENTER
    addl $(NMI_UNIT + HARD_INTERRUPT_UNIT), %gs:CPU_PREEMPT_COUNT
    movq %rsp, %rdi
    subq $8, %rsp
    call apus_nmi
    addq $8, %rsp
    subl $(NMI_UNIT + HARD_INTERRUPT_UNIT), %gs:CPU_PREEMPT_COUNT
    PARANOID_LEAVE
    POP_REGS
    addq $8, %rsp
    iretq
END_FUNCTION apus_nmi_entry

// Above the error code and the processor's frame, at the top of the stack: the address of the CPU's area, and a mark that
// a double fault is being handled. Another one then, or one without an area, cannot be handled: it would come
// back here for ever.
FUNCTION apus_double_fault
    btsq $0, 56(%rsp)
    jc apus_unreportable_double_fault
    cmpq $0, 48(%rsp)
    je apus_unreportable_double_fault
    PARANOID_ENTER
    movq %rsp, %rdi
    movq PT_ORIG_AX(%rsp), %rsi
    movl $8, %edx
    subq $8, %rsp
    call apus_fatal_exception
    ud2
END_FUNCTION apus_double_fault

FUNCTION apus_machine_check
    pushq $-1
    PARANOID_ENTER
    movq %rsp, %rdi
    movq $-1, %rsi
    movl $18, %edx
    subq $8, %rsp
    call apus_fatal_exception
    ud2
END_FUNCTION apus_machine_check

// From user mode a debug exception becomes a signal, so it moves to the thread's stack. From kernel mode
// it comes where MOV SS or POP SS delayed a user's breakpoint into the kernel's first instruction.
FUNCTION apus_debug
    pushq $-1
    testb $3, 16(%rsp)
    jnz 1f
    PARANOID_ENTER
    movq %rsp, %rdi
    subq $8, %rsp
    call apus_kernel_debug
    addq $8, %rsp
    PARANOID_LEAVE
    // The same care as in return_to_kernel: an IRETQ inside an NMI would let the next one in.
    testl $NMI_MASK, CPU_PREEMPT_COUNT(%r13)
    jnz 2f
    POP_REGS
    addq $8, %rsp
    iretq
2:  movq PT_SP(%rsp), %rax
    movq PT_IP(%rsp), %rcx
    movq PT_FLAGS(%rsp), %rdx
    movq %rcx, -8(%rax)
    movq %rdx, -16(%rax)
    subq $16, %rax
    movq %rax, PT_ORIG_AX(%rsp)
    POP_REGS
    popq %rsp
    popfq
    ret

1:  cld
    ASM_CLAC
    swapgs
    PUSH_REGS
    USER_ENDS
    movq %rsp, %rsi
    movq %gs:CPU_KERNEL_STACK_TOP, %rdi
    subq $PT_REGS_SIZE, %rdi
    movq %rdi, %rdx
    movl $(PT_REGS_SIZE / 8), %ecx
    rep movsq
    movq %rdx, %rsp
    leaq 1(%rsp), %rbp
    movq %rsp, %rdi
    movq $-1, %rsi
    movl $1, %edx
    subq $8, %rsp
    call apus_exception
    addq $8, %rsp
    cli
    jmp return_to_user
END_FUNCTION apus_debug

    .section .note.GNU-stack, "", @progbits
