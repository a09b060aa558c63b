// Reports of exceptions that Swift cannot report: before the kernel's tables and per-CPU data are there, and a double
// fault while one is being handled. Nothing here uses the stack or per-CPU data: text goes byte by byte to the
// first serial port, and then the emulator's exit port is written and the CPU halts. One report only: other CPUs
// that come here halt.

#include "assembly.h"
#include "pt_regs_offsets.h"

#define SERIAL_PORT 0x3f8
#define TRANSMITTER_EMPTY 0x20
#define EXIT_PORT 0xf4
// A kernel that failed (status 62).
#define EXIT_VALUE 0x7e
// Vectors whose exceptions push an error code: 8, 10-14, 17, 21, 29, 30 (Intel SDM volume 3, table 6-1).
#define ERROR_CODE_VECTORS 0x60227d00
// Present, DPL 0, interrupt gate.
#define GATE_TYPE 0x8e00
#define STUB_SIZE 8

// Writes the byte in BL. Clobbers EAX, ECX, EDX.
.macro PUT_BYTE
    movl $1000000, %ecx
781: movw $(SERIAL_PORT + 5), %dx
    inb %dx, %al
    testb $TRANSMITTER_EMPTY, %al
    jnz 782f
    pause
    decl %ecx
    jnz 781b
782: movw $SERIAL_PORT, %dx
    movb %bl, %al
    outb %al, %dx
.endm

// Writes the text at \label, and the number in \register if one is named.
.macro SAY label, register
    leaq \label(%rip), %rsi
    leaq 783f(%rip), %r15
    jmp put_text
783:
    .ifnb \register
    movq \register, %r8
    leaq 784f(%rip), %r15
    jmp put_number
784:
    .endif
.endm

    .text

// The zero-terminated text at RSI; goes on at R15. Clobbers RAX, RBX, RCX, RDX.
put_text:
    movb (%rsi), %bl
    incq %rsi
    testb %bl, %bl
    jz 9f
    PUT_BYTE
    jmp put_text
9:  jmp *%r15

// R8 as 16 hexadecimal digits; goes on at R15. Clobbers RAX, RBX, RCX, RDX, R9.
put_number:
    movl $16, %r9d
1:  rolq $4, %r8
    movl %r8d, %ebx
    andl $15, %ebx
    addl $48, %ebx
    cmpl $58, %ebx
    jb 2f
    addl $39, %ebx
2:  PUT_BYTE
    decl %r9d
    jnz 1b
    jmp *%r15

// The end: tells the emulator, and stops.
report_end:
    SAY end_text
    movw $EXIT_PORT, %dx
    movb $EXIT_VALUE, %al
    outb %al, %dx
1:  cli
    hlt
    jmp 1b

// The stack has the frame of a double fault on it, whose handler was under way (or has no per-CPU data to go by).
FUNCTION apus_unreportable_double_fault
    lock btsl $0, reported(%rip)
    jc 1f
    movq 8(%rsp), %r12
    movq 32(%rsp), %r13
    movq %cr2, %r14
    SAY double_fault_text, %r12
    SAY stack_text, %r13
    SAY address_text, %r14
    jmp report_end
1:  cli
    hlt
    jmp 1b
END_FUNCTION apus_unreportable_double_fault

// The stack has on it: vector, error code for some, and the processor's frame.
early_exception:
    lock btsl $0, reported(%rip)
    jc 2f
    movl (%rsp), %r10d
    movl $ERROR_CODE_VECTORS, %eax
    btl %r10d, %eax
    leaq 8(%rsp), %r11
    jnc 1f
    leaq 16(%rsp), %r11
1:  movq (%r11), %r12
    movq 24(%r11), %r13
    movq %cr2, %r14
    SAY exception_text, %r10
    SAY place_text, %r12
    SAY stack_text, %r13
    SAY address_text, %r14
    jmp report_end
2:  cli
    hlt
    jmp 2b

    .balign STUB_SIZE
early_exception_stubs:
    .set vector, 0
    .rept 32
    .balign STUB_SIZE
    pushq $vector
    jmp early_exception
    .set vector, vector + 1
    .endr

// void machine_load_early_table(void): makes every exception end in a report, before anything else can take it. Clobbers
// RAX, RCX, RDX, RDI.
FUNCTION machine_load_early_table
    leaq interrupt_descriptor_table(%rip), %rdi
    leaq early_exception_stubs(%rip), %rax
    movl $32, %ecx
1:  movw %ax, (%rdi)
    movw $SELECTOR_KERNEL_CS, 2(%rdi)
    movw $GATE_TYPE, 4(%rdi)
    movq %rax, %rdx
    shrq $16, %rdx
    movw %dx, 6(%rdi)
    shrq $16, %rdx
    movq %rdx, 8(%rdi)
    addq $STUB_SIZE, %rax
    addq $16, %rdi
    decl %ecx
    jnz 1b
    subq $24, %rsp
    movw $(32 * 16 - 1), 6(%rsp)
    leaq interrupt_descriptor_table(%rip), %rax
    movq %rax, 8(%rsp)
    lidt 6(%rsp)
    addq $24, %rsp
    ret
END_FUNCTION machine_load_early_table

    .section .rodata
exception_text: .asciz "\r\nKernel panic: exception 0x"
double_fault_text: .asciz "\r\nKernel panic: double fault that cannot be handled, RIP 0x"
place_text: .asciz " before the kernel is ready for it, RIP 0x"
stack_text: .asciz " RSP 0x"
address_text: .asciz " CR2 0x"
end_text: .asciz "\r\n---[ end Kernel panic ]---\r\n"

    .bss
    .balign 4
reported: .long 0

    .section .note.GNU-stack, "", @progbits
