// The first instructions of a secondary CPU: from the real mode that a start-up IPI leaves it in (Intel SDM
// volume 3, 9.4) to Swift on its own stack. Copied to a page below 1 MiB; all addresses inside it are
// relative to where it was copied, which CS:IP tells.

#include "cpu_area_offsets.h"

#define KERNEL_BASE 0x400000000000
#define PHYS(symbol) (symbol - KERNEL_BASE)

    .section .rodata
    .code16
    .globl trampoline_start
    .globl trampoline_end
    .align 16
trampoline_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    xorl %ebx, %ebx
    movw %ax, %bx
    shll $4, %ebx               // where this page lies
    leal (trampoline_32 - trampoline_start)(%ebx), %eax
    movl %eax, trampoline_far - trampoline_start
    lgdtl trampoline_gdt_register - trampoline_start
    movl $0x11, %eax
    movl %eax, %cr0
    ljmpl *(trampoline_far - trampoline_start)

    .align 8
trampoline_far:
    .long 0
    .word 0x20
    .align 8
trampoline_gdt_register:
    .word 39
    .long PHYS(boot_gdt_copy)

    .code32
trampoline_32:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $PHYS(secondary_32), %eax
    jmp *%eax
trampoline_end:

    .align 8
boot_gdt_copy:
    .quad 0
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00cf9b000000ffff

    .text
    .code32
secondary_32:
    // No stack yet and several CPUs at once: the one return address that enter_long_mode needs comes
    // from a constant "stack" in read-only memory.
    movl $PHYS(secondary_return), %esp
    jmp enter_long_mode
secondary_paged:
    ljmp $0x10, $PHYS(secondary_64)

    .section .rodata
    .align 8
secondary_return:
    .long PHYS(secondary_paged)

    .text
    .code64
secondary_64:
    movabsq $1f, %rax
    jmp *%rax
1:  xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    // This CPU's APIC identifier: leaf 0xb has all 32 bits where it exists (Intel SDM volume 2, CPUID).
    xorl %eax, %eax
    cpuid
    cmpl $0xb, %eax
    jb 2f
    movl $0xb, %eax
    xorl %ecx, %ecx
    cpuid
    testl %ebx, %ebx
    jnz 3f
2:  movl $1, %eax
    cpuid
    shrl $24, %ebx
    movl %ebx, %edx
3:  // Its record in the table that the boot CPU made: {u32 apic, u32 index, u64 area, u64 stack}.
    movq secondary_table(%rip), %rdi
    movl secondary_count(%rip), %ecx
4:  testl %ecx, %ecx
    jz 6f
    cmpl %edx, (%rdi)
    je 5f
    addq $24, %rdi
    decl %ecx
    jmp 4b
5:  // The stack is mapped in the kernel's own tables only.
    movq secondary_root(%rip), %rax
    movq %rax, %cr3
    movq 16(%rdi), %rsp
    movq 8(%rdi), %rax
    movq %rax, %rdx
    shrq $32, %rdx
    movl $0xc0000101, %ecx
    wrmsr
    movl 4(%rdi), %edi
    xorl %ebp, %ebp
    call apus_secondary_main
6:  cli
    hlt
    jmp 6b

    .bss
    .align 8
    .globl secondary_table
    .globl secondary_count
    .globl secondary_root
secondary_table: .quad 0
secondary_root: .quad 0
secondary_count: .long 0
