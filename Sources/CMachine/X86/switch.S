// The context switch: the only place where one thread's stack becomes another's.

    .text

// uintptr_t apus_switch_stacks(uintptr_t *saved, uintptr_t next, uintptr_t carried)
// Interrupts are off. All other registers are the compiler's to save around a call.
    .globl apus_switch_stacks
    .type apus_switch_stacks, @function
    .balign 16
apus_switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    movq %rdx, %rax
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size apus_switch_stacks, . - apus_switch_stacks

// A fresh stack "returns" here: rbx is the entry function, r12 the user registers at the top of the
// stack, rax what the switch carried. An entry function that returns means: go to user mode.
    .globl apus_thread_begin
    .type apus_thread_begin, @function
    .balign 16
apus_thread_begin:
    xorl %ebp, %ebp
    movq %rax, %rdi
    call *%rbx
    movq %r12, %rsp
    jmp apus_enter_user
    .size apus_thread_begin, . - apus_thread_begin

    .section .note.GNU-stack, "", @progbits
