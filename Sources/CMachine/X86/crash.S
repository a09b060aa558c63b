// Ways to break the kernel on purpose, for the boots that test how it reports what it cannot survive.

#include "assembly.h"
#include "pt_regs_offsets.h"

    .text

// Uses up the stack it runs on.
FUNCTION machine_overflow_stack
    pushq %rbp
    movq %rsp, %rbp
1:  pushq $0
    jmp 1b
END_FUNCTION machine_overflow_stack

// An exception whose frame has nowhere to go: a double fault.
FUNCTION machine_lose_stack
    pushq %rbp
    movq %rsp, %rbp
    xorl %esp, %esp
    pushq $0
END_FUNCTION machine_lose_stack

// The exceptions that a handler of its own stack takes.
FUNCTION machine_raise_debug
    int $1
    ret
END_FUNCTION machine_raise_debug

FUNCTION machine_raise_machine_check
    int $18
    ret
END_FUNCTION machine_raise_machine_check

FUNCTION machine_raise_invalid_opcode
    ud2
    ret
END_FUNCTION machine_raise_invalid_opcode

// Vectors by instruction, for measurements.
FUNCTION machine_raise_reschedule
    int $252
    ret
END_FUNCTION machine_raise_reschedule

FUNCTION machine_raise_test_vector
    int $247
    ret
END_FUNCTION machine_raise_test_vector

    .section .note.GNU-stack, "", @progbits
