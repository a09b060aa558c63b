// Macros of the entry code: how PtRegs is built and taken down again.
#ifndef ENTRY_H
#define ENTRY_H
#include "assembly.h"
#include "cpu_area_offsets.h"
#include "pt_regs_offsets.h"
#include "thread_head.h"

#define MSR_GS_BASE 0xc0000101
#define HARD_INTERRUPT_UNIT 0x10000
#define HARD_INTERRUPT_MASK 0xf0000
#define BOTTOM_HALF_UNIT 0x100
// Bottom halves off, hard interrupts, NMI.
#define INTERRUPT_MASK 0xffff00
#define NMI_UNIT 0x100000
#define NMI_MASK 0xf00000
// The preemption count of a thread in user mode while no reschedule is wanted.
#define NOTHING_WANTED 0x80000000
// How deep hard interrupts may nest (NonCriticalHandler.maximumDepth in Swift).
#define MAXIMUM_NESTING 4
#define VECTOR_RESCHEDULE 252
#define MSR_X2APIC_END_OF_INTERRUPT 0x80b
#define MINUS_ENOSYS -38

// Saves the general registers below orig_ax, in the order of struct pt_regs. `rdi_saved` leaves out
// rdi where the stub has already pushed it.
.macro PUSH_REGS rdi_saved=0
    .if \rdi_saved == 0
    pushq %rdi
    .endif
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
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
    // An odd frame pointer tells backtraces that a pt_regs lies here.
    leaq 1(%rsp), %rbp
.endm

// User mode ends, or begins: how long the CPU was there is added up for its thread, beginnings as less than nothing.
// rax and rdx are lost.
.macro USER_ENDS
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    addq %rax, %gs:CPU_USER_CYCLES
.endm
.macro USER_BEGINS
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    subq %rax, %gs:CPU_USER_CYCLES
.endm

// Calls the function whose address lies at `function` on this CPU's soft-IRQ stack, at whose top the old stack pointer
// is kept. Bottom halves are counted off, so nobody else is on that stack. Interrupts are off.
.macro ON_SOFTIRQ_STACK function
    movq %gs:CPU_SOFTIRQ_STACK_TOP, %rax
    movq %rsp, (%rax)
    movq %rax, %rsp
    call *\function(%rip)
    popq %rsp
.endm

// Takes the general registers back; the stack pointer is then at orig_ax.
.macro POP_REGS
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
.endm

#endif
