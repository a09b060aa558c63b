// How exceptions and interrupts enter the kernel and leave it.
//
// Every gate is an interrupt gate: with IF set, an interrupt could come between a gate that user mode
// went through and the SWAPGS behind it, and would find the saved CS to be the kernel's but GS still
// the user's.
//
// A stub makes the frame uniform (-1 where the processor pushes no error code, the vector number for
// an interrupt) and jumps to a dispatcher, which saves PtRegs and calls Swift. NMI, #DF, #MC and #DB have
// stacks and a dispatcher of their own in entry_paranoid.S.

#include "entry.h"

    .text

// ---- Exceptions ----

.macro EXCEPTION name vector pushes_error=0
FUNCTION \name
    .if \pushes_error == 0
    pushq $-1
    .endif
    pushq %rdi
    movl $\vector, %edi
    jmp exception_dispatcher
END_FUNCTION \name
.endm

EXCEPTION apus_divide_error, 0
EXCEPTION apus_breakpoint, 3
EXCEPTION apus_overflow, 4
EXCEPTION apus_bound_range, 5
EXCEPTION apus_invalid_opcode, 6
EXCEPTION apus_device_not_available, 7
EXCEPTION apus_coprocessor_segment, 9
EXCEPTION apus_invalid_tss, 10, 1
EXCEPTION apus_segment_not_present, 11, 1
EXCEPTION apus_stack_fault, 12, 1
EXCEPTION apus_general_protection, 13, 1
EXCEPTION apus_page_fault, 14, 1
EXCEPTION apus_reserved_15, 15
EXCEPTION apus_floating_point, 16
EXCEPTION apus_alignment_check, 17, 1
EXCEPTION apus_simd_floating_point, 19
EXCEPTION apus_virtualization, 20
EXCEPTION apus_control_protection, 21, 1
EXCEPTION apus_reserved_22, 22
EXCEPTION apus_reserved_23, 23
EXCEPTION apus_reserved_24, 24
EXCEPTION apus_reserved_25, 25
EXCEPTION apus_reserved_26, 26
EXCEPTION apus_reserved_27, 27
EXCEPTION apus_reserved_28, 28
EXCEPTION apus_vmm_communication, 29, 1
EXCEPTION apus_security, 30, 1
EXCEPTION apus_reserved_31, 31

// The entry of each of the vectors 0 to 31.
    .pushsection .rodata
    .balign 8
    .globl apus_exception_entries
apus_exception_entries:
    .quad apus_divide_error, apus_debug, apus_nmi_entry, apus_breakpoint
    .quad apus_overflow, apus_bound_range, apus_invalid_opcode, apus_device_not_available
    .quad apus_double_fault, apus_coprocessor_segment, apus_invalid_tss, apus_segment_not_present
    .quad apus_stack_fault, apus_general_protection, apus_page_fault, apus_reserved_15
    .quad apus_floating_point, apus_alignment_check, apus_machine_check, apus_simd_floating_point
    .quad apus_virtualization, apus_control_protection, apus_reserved_22, apus_reserved_23
    .quad apus_reserved_24, apus_reserved_25, apus_reserved_26, apus_reserved_27
    .quad apus_reserved_28, apus_vmm_communication, apus_security, apus_reserved_31
    .popsection

// edi: vector. On the stack: rdi, error code, and what the processor pushed.
FUNCTION exception_dispatcher
    cld
    ASM_CLAC
    testb $3, 24(%rsp)
    jz 2f
    swapgs
    pushq %rax
    pushq %rdx
    USER_ENDS
    popq %rdx
    popq %rax
1:  PUSH_REGS 1
    movl %edi, %edx
    movq %rsp, %rdi
    movq PT_ORIG_AX(%rsp), %rsi
    movq $-1, PT_ORIG_AX(%rsp)
    subq $8, %rsp
    call apus_exception
    addq $8, %rsp
    cli
    testb $3, PT_CS(%rsp)
    jnz return_to_user
    jmp return_to_kernel
    // From kernel mode GS is the kernel's but for one instruction: the IRETQ to user mode that faults.
2:  pushq %rax
    leaq iretq_to_user(%rip), %rax
    cmpq %rax, 24(%rsp)
    popq %rax
    jne 1b
    swapgs
    jmp 1b
END_FUNCTION exception_dispatcher

// To the kernel code that took an exception. Not by IRETQ inside an NMI, since that would let the next NMI
// in while the first one's stack is in use (Intel SDM volume 3, 6.7.1).
FUNCTION return_to_kernel
    testl $NMI_MASK, %gs:CPU_PREEMPT_COUNT
    jnz 1f
    POP_REGS
    addq $8, %rsp
    iretq
1:  movq PT_SP(%rsp), %rax
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
END_FUNCTION return_to_kernel

// To user mode, interrupts off: first what is to be done for the thread (a signal, a reschedule).
// The thread's first word holds its flags (thread_head.h).
FUNCTION return_to_user
    movq %gs:CPU_CURRENT_THREAD, %rcx
    cmpl $0, (%rcx)
    jne 2f
    cmpl $NOTHING_WANTED, %gs:CPU_PREEMPT_COUNT
    jne 2f
1:  USER_BEGINS
    POP_REGS
    addq $8, %rsp
    swapgs
    .globl iretq_to_user
iretq_to_user:
    iretq
    EXCEPTION_TABLE_ENTRY(iretq_to_user, bad_iretq)
2:  movq %rsp, %rdi
    subq $8, %rsp
    call apus_return_to_user
    addq $8, %rsp
    jmp 1b
END_FUNCTION return_to_user

// Where a thread that has never been in user mode goes there: the stack pointer is at its PtRegs,
// interrupts are off.
    .globl apus_enter_user
    .set apus_enter_user, return_to_user

// ---- Interrupts ----

// Each stub is 16 bytes long, so that the address of the one for a vector is computed.
    .balign 16
    .globl apus_interrupt_stubs
apus_interrupt_stubs:
    .set vector, 32
    .rept 256 - 32
    .balign 16
    pushq $vector
    jmp interrupt_dispatcher
    .set vector, vector + 1
    .endr
    .balign 16

FUNCTION interrupt_dispatcher
    cld
    ASM_CLAC
    testb $3, 16(%rsp)
    jz 1f
    swapgs
    pushq %rax
    pushq %rdx
    USER_ENDS
    popq %rdx
    popq %rax
1:  PUSH_REGS
    movq %rsp, %rbx
    testl $HARD_INTERRUPT_MASK, %gs:CPU_PREEMPT_COUNT
    jnz 7f
    movq %gs:CPU_IRQ_STACK_TOP, %rsp
2:  addl $HARD_INTERRUPT_UNIT, %gs:CPU_PREEMPT_COUNT
    pushq %gs:CPU_IRQ_REGS
    movq %rbx, %gs:CPU_IRQ_REGS
    movq %rbx, %rdi
    call apus_interrupt
    popq %gs:CPU_IRQ_REGS
    subl $HARD_INTERRUPT_UNIT, %gs:CPU_PREEMPT_COUNT
    movq %rbx, %rsp

    // The way out: soft IRQs, then the thread's work or a reschedule.
    cmpl $0, %gs:CPU_SOFTIRQ_PENDING
    jne 5f
3:  testb $3, PT_CS(%rsp)
    jnz 8f
    cmpl $0, %gs:CPU_PREEMPT_COUNT
    je 6f
4:  POP_REGS
    addq $8, %rsp
    iretq

    // Not inside another interrupt, nor where bottom halves are off: they run when those end.
5:  testl $INTERRUPT_MASK, %gs:CPU_PREEMPT_COUNT
    jnz 3b
    addl $BOTTOM_HALF_UNIT, %gs:CPU_PREEMPT_COUNT
    ON_SOFTIRQ_STACK softirqs_at_exit
    subl $BOTTOM_HALF_UNIT, %gs:CPU_PREEMPT_COUNT
    jmp 3b
6:  subq $8, %rsp
    call apus_interrupt_exit_preempt
    addq $8, %rsp
    jmp 4b
    // Nested: on the interrupt stack already. Aligned as the top of that stack is. Handlers that let others in do so to a
    // fixed depth only (NonCriticalHandler.swift): deeper is a mistake.
7:  movl %gs:CPU_PREEMPT_COUNT, %eax
    andl $HARD_INTERRUPT_MASK, %eax
    cmpl $(MAXIMUM_NESTING * HARD_INTERRUPT_UNIT), %eax
    jae interrupt_nested_too_deep
    andq $-16, %rsp
    subq $8, %rsp
    jmp 2b
    // A signal delivered on this way out must not take the vector for the number of a system call.
8:  movq $-1, PT_ORIG_AX(%rsp)
    jmp return_to_user
END_FUNCTION interrupt_dispatcher

FUNCTION interrupt_nested_too_deep
    ud2
END_FUNCTION interrupt_nested_too_deep

// The reschedule interrupt, the most frequent one between CPUs: from kernel mode it is counted, noted and acknowledged
// with one register saved. From user mode, and where a reschedule is possible at once, it goes the way of all
// others.
FUNCTION apus_reschedule_entry
    testb $3, 8(%rsp)
    jnz 3f
    pushq %rax
    incq %gs:(CPU_VECTOR_COUNTS + 8 * VECTOR_RESCHEDULE)
    andl $0x7fffffff, %gs:CPU_PREEMPT_COUNT
    movq end_of_interrupt_register(%rip), %rax
    testq %rax, %rax
    jz 2f
    movl $0, (%rax)
1:  cmpl $0, %gs:CPU_PREEMPT_COUNT
    popq %rax
    je 4f
    iretq
2:  pushq %rcx
    pushq %rdx
    movl $MSR_X2APIC_END_OF_INTERRUPT, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    popq %rdx
    popq %rcx
    jmp 1b
3:  pushq $VECTOR_RESCHEDULE
    jmp interrupt_dispatcher
4:  pushq $VECTOR_RESCHEDULE
    cld
    ASM_CLAC
    PUSH_REGS
    subq $8, %rsp
    call apus_interrupt_exit_preempt
    addq $8, %rsp
    POP_REGS
    addq $8, %rsp
    iretq
END_FUNCTION apus_reschedule_entry

    .bss
    .balign 8
    .globl end_of_interrupt_register
end_of_interrupt_register: .quad 0
    .text

// ---- A return frame that IRETQ refused ----

// The exception's fixup: the kernel's GS, the thread's stack with the bad frame on it, and the user's
// registers still in place. PtRegs is built again and the thread gets a signal.
    .section .fixup, "ax", @progbits
FUNCTION bad_iretq
    pushq $-1
    PUSH_REGS
    USER_ENDS
    movq %rsp, %rdi
    subq $8, %rsp
    call apus_bad_return_frame
    addq $8, %rsp
    cli
    jmp return_to_user
END_FUNCTION bad_iretq


    .text

// void machine_run_softirqs(void): where bottom halves are enabled again. Interrupts are as they were, afterwards too.
FUNCTION machine_run_softirqs
    pushfq
    cli
    ON_SOFTIRQ_STACK softirqs_of_section
    popfq
    ret
END_FUNCTION machine_run_softirqs

FUNCTION no_softirqs
    ret
END_FUNCTION no_softirqs

// What runs soft IRQs (room Deferred), with interrupts off before and after, in the two places.
    .data
    .balign 8
    .globl softirqs_at_exit, softirqs_of_section
softirqs_at_exit: .quad no_softirqs
softirqs_of_section: .quad no_softirqs
    .text

    .section .note.GNU-stack, "", @progbits
