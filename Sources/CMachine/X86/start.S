// The first instructions of the boot CPU: PVH entry (32-bit protected mode, paging off, EBX = physical
// address of hvm_start_info; Xen's docs/misc/pvh.pandoc) to 64-bit Swift on the boot stack.

#include "cpu_area_offsets.h"

#define KERNEL_BASE 0x400000000000
#define PHYS(symbol) (symbol - KERNEL_BASE)
#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101
#define EFER_SCE_LME_NXE 0x901
#define CR4_PAE_PGE 0xa0
#define CR0_PE_MP_NE_WP_AM_PG 0x80050023

    .section .note.Xen, "a", @note
    .align 4
    .long 4, 8, 18              // name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad PHYS(apus_start)

    .section .text.start, "ax", @progbits
    .code32
    .globl apus_start
apus_start:
    cld
    cli
    movl %ebx, %esi
    movl $PHYS(boot_stack_top), %esp

    // A CPU without long mode cannot go on; say so on the first serial port.
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc no_long_mode
    btl $20, %edx               // no-execute
    jnc no_long_mode

    // First tables: 4 GiB in 2 MiB pages, at address 0 and in the direct map.
    movl $PHYS(boot_pd), %edi
    movl $0x83, %eax            // present, writable, 2 MiB
    xorl %edx, %edx
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b
    movl $PHYS(boot_pdpt), %edi
    movl $(PHYS(boot_pd) + 3), %eax
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $8, %edi
    addl $4096, %eax
    decl %ecx
    jnz 2b
    movl $(PHYS(boot_pdpt) + 3), %eax
    movl %eax, PHYS(boot_pml4)
    movl %eax, PHYS(boot_pml4) + 128 * 8

    call enter_long_mode
    ljmp $0x10, $PHYS(start64)

no_long_mode:
    movl $PHYS(no_long_mode_text), %esi
3:  lodsb
    testb %al, %al
    jz 5f
    movb %al, %bl
4:  movw $0x3fd, %dx
    inb %dx, %al
    testb $0x20, %al
    jz 4b
    movb %bl, %al
    movw $0x3f8, %dx
    outb %al, %dx
    jmp 3b
5:  movw $0xf4, %dx
    movb $0x7e, %al
    outb %al, %dx
6:  hlt
    jmp 6b

// Turns on paging with the boot tables and the boot GDT. Clobbers EAX, ECX, EDX. Also used by the
// secondary CPUs' trampoline.
    .globl enter_long_mode
enter_long_mode:
    movl $CR4_PAE_PGE, %eax
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_SCE_LME_NXE, %eax
    wrmsr
    movl $CR0_PE_MP_NE_WP_AM_PG, %eax
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_register)
    ret

    .code64
start64:
    movabsq $1f, %rax
    jmp *%rax
1:  movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq boot_stack_top(%rip), %rsp
    call machine_load_early_table
    leaq boot_cpu_area(%rip), %rax
    movq %rax, CPU_SELF(%rax)
    // Preemption off, no reschedule wanted.
    movl $0x80000001, CPU_PREEMPT_COUNT(%rax)
    movq %rax, %rdx
    shrq $32, %rdx
    movl $MSR_GS_BASE, %ecx
    wrmsr
    xorl %ebp, %ebp
    movl %esi, %edi
    rdtsc
    shlq $32, %rdx
    orq %rax, %rdx
    movq %rdx, %rsi
    call apus_kernel_main
2:  cli
    hlt
    jmp 2b

    .section .rodata
no_long_mode_text:
    .asciz "apus: this CPU has no 64-bit mode with no-execute pages; Apus needs both\r\n"

    .align 8
boot_gdt:
    .quad 0
    .quad 0
    .quad 0x00af9b000000ffff    // 0x10: 64-bit code
    .quad 0x00cf93000000ffff    // 0x18: data
    .quad 0x00cf9b000000ffff    // 0x20: 32-bit code, for the trampoline
boot_gdt_end:
    .globl boot_gdt_register
boot_gdt_register:
    .word boot_gdt_end - boot_gdt - 1
    .quad PHYS(boot_gdt)

    .section .bss.tables, "aw", @nobits
    .align 4096
    .globl boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 4 * 4096
// Not mapped in the kernel's own page tables.
    .globl boot_stack_guard
boot_stack_guard: .skip 4096
boot_stack: .skip 32768
    .globl boot_stack_top
boot_stack_top:
    .globl boot_cpu_area
    .align 64
boot_cpu_area: .skip CPU_AREA_SIZE

    // Room for the symbol table that the host tool fills in after linking.
    .section .apus.symbols, "a", @progbits
    .ascii "APUSSYM\0"
    .quad 786432
    .quad 0
    .skip 786432 - 24
