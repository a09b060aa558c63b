// The static tables and stacks of the boot CPU, and the loading of tables.

#include "assembly.h"
#include "pt_regs_offsets.h"

#define ENTRY_STACK_SIZE 8192
#define INTERRUPT_STACK_SIZE 16384

    .text

// void machine_load_tables(uint64_t gdt_base, uint64_t idt_base)
FUNCTION machine_load_tables
    subq $24, %rsp
    movw $127, 6(%rsp)
    movq %rdi, 8(%rsp)
    lgdt 6(%rsp)
    movw $4095, 6(%rsp)
    movq %rsi, 8(%rsp)
    lidt 6(%rsp)
    addq $24, %rsp
    // GS is not loaded: that would clear its base.
    movl $SELECTOR_KERNEL_DS, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl $SELECTOR_TSS, %eax
    ltr %ax
    // No LDT: the one that a reset leaves begins at address 0, which is the program's memory.
    xorl %eax, %eax
    lldt %ax
    popq %rax
    pushq $SELECTOR_KERNEL_CS
    pushq %rax
    lretq
END_FUNCTION machine_load_tables

    .section .rodata
    .balign 8
    .globl boot_entry_stack_tops
boot_entry_stack_tops:
    .quad boot_entry_stacks + 1 * ENTRY_STACK_SIZE
    .quad boot_entry_stacks + 2 * ENTRY_STACK_SIZE
    .quad boot_entry_stacks + 3 * ENTRY_STACK_SIZE
    .quad boot_entry_stacks + 4 * ENTRY_STACK_SIZE
    .quad boot_entry_stacks + 4 * ENTRY_STACK_SIZE + INTERRUPT_STACK_SIZE
    .quad boot_entry_stacks + 4 * ENTRY_STACK_SIZE + 2 * INTERRUPT_STACK_SIZE

    .section .bss.tables, "aw", @nobits
    .balign 4096
    .globl interrupt_descriptor_table
interrupt_descriptor_table: .skip 4096
boot_entry_stacks: .skip 4 * ENTRY_STACK_SIZE + 2 * INTERRUPT_STACK_SIZE
    .balign 64
    .globl boot_cpu_tables
boot_cpu_tables: .skip 256

    .section .note.GNU-stack, "", @progbits
