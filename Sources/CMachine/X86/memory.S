// memcpy, memmove, memset and memcmp for the compiler and the Swift runtime, without vector registers.
//
// Cost is counted in instructions, and each turn of a REP prefix is one: so whole words by
// `rep movsq`, `rep stosq` and `repe cmpsq`, the odd bytes by one word that overlaps the end, and up to
// 32 bytes by plain moves, all loads before the first store. The direction flag is clear on
// entry (System V AMD64 ABI 3.2.1) and never set, so an interrupt finds it clear too.

    .text

// void *memmove(void *to, const void *from, size_t bytes): rdi, rsi, rdx.
    .globl memmove
    .type memmove, @function
    .p2align 4
memmove:
    cmpq $32, %rdx
    jbe memcpy
    movq %rdi, %rax
    subq %rsi, %rax
    cmpq %rdx, %rax
    // `to` lies inside the source: last word first.
    jb .Lcopy_backward
    movq %rdi, %rax
    jmp .Lcopy_forward
    .size memmove, . - memmove

// void *memcpy(void *to, const void *from, size_t bytes)
    .globl memcpy
    .type memcpy, @function
    .p2align 4
memcpy:
    movq %rdi, %rax
    cmpq $16, %rdx
    jbe .Lcopy_up_to_16
    cmpq $32, %rdx
    jbe .Lcopy_up_to_32
.Lcopy_forward:
    // The last word is read before anything is written: overlapping downwards is harmless.
    movq %rdx, %rcx
    movq -8(%rsi, %rdx), %r8
    leaq -8(%rdi, %rdx), %r9
    shrq $3, %rcx
    rep movsq
    movq %r8, (%r9)
    ret
.Lcopy_up_to_32:
    movq (%rsi), %rcx
    movq 8(%rsi), %r8
    movq -16(%rsi, %rdx), %r9
    movq -8(%rsi, %rdx), %r10
    movq %rcx, (%rdi)
    movq %r8, 8(%rdi)
    movq %r9, -16(%rdi, %rdx)
    movq %r10, -8(%rdi, %rdx)
    ret
.Lcopy_up_to_16:
    cmpl $8, %edx
    jb .Lcopy_below_8
    movq (%rsi), %rcx
    movq -8(%rsi, %rdx), %r8
    movq %rcx, (%rdi)
    movq %r8, -8(%rdi, %rdx)
    ret
.Lcopy_below_8:
    cmpl $4, %edx
    jb .Lcopy_below_4
    movl (%rsi), %ecx
    movl -4(%rsi, %rdx), %r8d
    movl %ecx, (%rdi)
    movl %r8d, -4(%rdi, %rdx)
    ret
.Lcopy_below_4:
    testl %edx, %edx
    jz .Lcopy_done
    // First, middle and last byte cover 1, 2 and 3.
    movl %edx, %r11d
    shrl %r11d
    movzbl (%rsi), %ecx
    movzbl (%rsi, %r11), %r8d
    movzbl -1(%rsi, %rdx), %r9d
    movb %cl, (%rdi)
    movb %r8b, (%rdi, %r11)
    movb %r9b, -1(%rdi, %rdx)
.Lcopy_done:
    ret

.Lcopy_backward:
    movq %rdi, %rax
    // The first word is read before anything is written, and written last.
    movq (%rsi), %r11
    subq $32, %rdx
1:  movq 24(%rsi, %rdx), %rcx
    movq 16(%rsi, %rdx), %r8
    movq 8(%rsi, %rdx), %r9
    movq (%rsi, %rdx), %r10
    movq %rcx, 24(%rdi, %rdx)
    movq %r8, 16(%rdi, %rdx)
    movq %r9, 8(%rdi, %rdx)
    movq %r10, (%rdi, %rdx)
    subq $32, %rdx
    jae 1b
    addq $32, %rdx
    jz 3f
    // Fewer than 32 bytes are left at the front.
2:  cmpq $8, %rdx
    jbe 3f
    movq -8(%rsi, %rdx), %rcx
    movq %rcx, -8(%rdi, %rdx)
    subq $8, %rdx
    jmp 2b
3:  movq %r11, (%rdi)
    ret
    .size memcpy, . - memcpy

// void *memset(void *to, int byte, size_t bytes)
    .globl memset
    .type memset, @function
    .p2align 4
memset:
    movabsq $0x0101010101010101, %r8
    movzbl %sil, %ecx
    imulq %rcx, %r8
    movq %rdi, %r9
    cmpq $16, %rdx
    jbe .Lset_up_to_16
    cmpq $32, %rdx
    jbe .Lset_up_to_32
    movq %r8, %rax
    movq %rdx, %rcx
    movq %r8, -8(%rdi, %rdx)
    shrq $3, %rcx
    rep stosq
    movq %r9, %rax
    ret
.Lset_up_to_32:
    movq %rdi, %rax
    movq %r8, (%rdi)
    movq %r8, 8(%rdi)
    movq %r8, -16(%rdi, %rdx)
    movq %r8, -8(%rdi, %rdx)
    ret
.Lset_up_to_16:
    movq %rdi, %rax
    cmpl $8, %edx
    jb .Lset_below_8
    movq %r8, (%rdi)
    movq %r8, -8(%rdi, %rdx)
    ret
.Lset_below_8:
    cmpl $4, %edx
    jb .Lset_below_4
    movl %r8d, (%rdi)
    movl %r8d, -4(%rdi, %rdx)
    ret
.Lset_below_4:
    testl %edx, %edx
    jz 1f
    movb %r8b, (%rdi)
    movb %r8b, -1(%rdi, %rdx)
    shrl %edx
    movb %r8b, (%rdi, %rdx)
1:  ret
    .size memset, . - memset

// int memcmp(const void *a, const void *b, size_t bytes)
    .globl memcmp
    .type memcmp, @function
    .globl bcmp
    .type bcmp, @function
    .p2align 4
bcmp:
memcmp:
    cmpq $8, %rdx
    jb .Lcompare_bytes
    movq %rdx, %rcx
    shrq $3, %rcx
    // %rcx is not zero, so `repe cmpsq` sets the flags.
    repe cmpsq
    // %r9 is from a, %r8 from b.
    movq -8(%rdi), %r9
    movq -8(%rsi), %r8
    jne .Lcompare_words
    andl $7, %edx
    jz .Lcompare_equal
    // The last word, overlapping what is known to be equal.
    movq -8(%rsi, %rdx), %r8
    movq -8(%rdi, %rdx), %r9
.Lcompare_words:
    // The first byte in memory that differs decides.
    bswapq %r8
    bswapq %r9
    xorl %eax, %eax
    cmpq %r8, %r9
    seta %al
    sbbl $0, %eax
    ret
.Lcompare_bytes:
    xorl %ecx, %ecx
1:  cmpq %rdx, %rcx
    je .Lcompare_equal
    movzbl (%rdi, %rcx), %eax
    movzbl (%rsi, %rcx), %r8d
    incq %rcx
    subl %r8d, %eax
    je 1b
    ret
.Lcompare_equal:
    xorl %eax, %eax
    ret
    .size memcmp, . - memcmp

    .section .note.GNU-stack, "", @progbits
