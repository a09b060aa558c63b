// System calls: `syscall` and `int $0x80`. Both save all of PtRegs with orig_ax = the call's number and
// ax = -ENOSYS, and call Swift with interrupts on.

#include "entry.h"

// Set in flags that SYSRET cannot restore properly: TF and RF.
#define FLAGS_TF_RF 0x10100
// User addresses are below 1 << USER_BITS (KernelLayout.userEnd).
#define USER_BITS 46

    .text

FUNCTION apus_syscall_entry
    swapgs
    movq %rsp, %gs:CPU_USER_STACK_SCRATCH
    movq %gs:CPU_KERNEL_STACK_TOP, %rsp
    pushq $SELECTOR_USER_DS
    pushq %gs:CPU_USER_STACK_SCRATCH
    pushq %r11
    pushq $SELECTOR_USER_CS
    pushq %rcx
    pushq %rax
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq $MINUS_ENOSYS
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    leaq 1(%rsp), %rbp
    movq %rsp, %rdi
    subq $8, %rsp
    USER_ENDS
    sti
    call apus_system_call
    addq $8, %rsp
    cli

    movq %gs:CPU_CURRENT_THREAD, %rcx
    cmpl $0, (%rcx)
    jne 2f
    cmpl $NOTHING_WANTED, %gs:CPU_PREEMPT_COUNT
    jne 2f
    // Nobody has replaced the registers: rcx and r11 are what SYSCALL put there, the user's rip and flags.
    testl $FLAGS_TF_RF, PT_R11(%rsp)
    jnz 3f
1:  USER_BEGINS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    movq PT_SP - PT_ORIG_AX(%rsp), %rsp
    swapgs
    sysretq
    // Something is to be done for the thread, or its registers are not those of the call any more, or both.
2:  cmpl $THREAD_REGISTERS_REPLACED, (%rcx)
    jne 4f
    cmpl $NOTHING_WANTED, %gs:CPU_PREEMPT_COUNT
    jne 4f
5:  lock andl $~THREAD_REGISTERS_REPLACED, (%rcx)
    // SYSRET takes rip from rcx and the flags from r11, and sets fixed selectors; it must not see an rip
    // that is not canonical, since some processors fault on it in kernel mode with the user's stack
    // pointer (Intel SDM volume 2, SYSRET).
    movq PT_CX(%rsp), %rcx
    movq PT_R11(%rsp), %r11
    cmpq %rcx, PT_IP(%rsp)
    jne 3f
    cmpq %r11, PT_FLAGS(%rsp)
    jne 3f
    cmpl $SELECTOR_USER_CS, PT_CS(%rsp)
    jne 3f
    cmpl $SELECTOR_USER_DS, PT_SS(%rsp)
    jne 3f
    testl $FLAGS_TF_RF, %r11d
    jnz 3f
    shrq $USER_BITS, %rcx
    jz 1b
3:  USER_BEGINS
    POP_REGS
    addq $8, %rsp
    swapgs
    jmp iretq_to_user
4:  movq %rsp, %rdi
    subq $8, %rsp
    call apus_return_to_user
    addq $8, %rsp
    movq %gs:CPU_CURRENT_THREAD, %rcx
    jmp 5b
END_FUNCTION apus_syscall_entry

// `syscall` from 32-bit code: there are no 32-bit system calls this way. Interrupts are off, GS and
// the stack are the user's and stay so.
FUNCTION apus_syscall32_entry
    movl $MINUS_ENOSYS, %eax
    sysretl
END_FUNCTION apus_syscall32_entry

FUNCTION apus_int80_entry
    pushq %rax
    cld
    ASM_CLAC
    swapgs
    PUSH_REGS
    movq $MINUS_ENOSYS, PT_AX(%rsp)
    movq %rsp, %rdi
    subq $8, %rsp
    USER_ENDS
    sti
    call apus_system_call_int80
    addq $8, %rsp
    cli
    jmp return_to_user
END_FUNCTION apus_int80_entry

    .section .note.GNU-stack, "", @progbits
