// Instructions meant to break out: jumps to kernel and non-canonical addresses, `int` of every vector,
// far returns and interrupt returns with other selectors, flags a program must not set. The child gets
// the signal that Linux gives, and nobody else notices.
#include "tap.h"
#include <sys/mman.h>
#include <ucontext.h>

static unsigned char *code;

static void need_code(void)
{
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		_exit(98);
}

static const uintptr_t places[] = { 0, 1, 0xfff, 0x400000000000, 0x400000100000, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000,
	0x0100000000000000, 0xdeadbeefdeadbeef, 0xffff7fffffffffff, 0xffff800000000000, 0xffffffff80000000, 0xffffffff81000000,
	0xfffffffffffff000, 0xffffffffffffffff };
enum { PLACES = sizeof places / sizeof *places };

TEST(jumps)
{
	for (int i = 0; i < PLACES; i++) {
		KILLED(CHILD(__asm__ volatile("jmp *%0" : : "r"(places[i]))), SIGSEGV);
		KILLED(CHILD(__asm__ volatile("call *%0" : : "r"(places[i]))), SIGSEGV);
		KILLED(CHILD(__asm__ volatile("pushq %0\n ret" : : "r"(places[i]))), SIGSEGV);
	}
}

TEST(stacks)
{
	// A stack pointer anywhere, then an exception, a call, and an instruction that uses the stack.
	for (int i = 0; i < PLACES; i++) {
		KILLED(CHILD(__asm__ volatile("movq %0, %%rsp\n ud2" : : "r"(places[i]))), SIGILL);
		EXITED(CHILD(__asm__ volatile("movq %0, %%rsp\n movl $231, %%eax\n movl $5, %%edi\n syscall" : : "r"(places[i]))), 5);
		int status = CHILD(__asm__ volatile("movq %0, %%rsp\n pushq %%rax\n ud2" : : "r"(places[i])));
		CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS));
	}
}

TEST(every_interrupt_vector)
{
	need_code();
	for (int vector = 0; vector < 256; vector++) {
		code[0] = 0xcd;
		code[1] = vector;
		code[2] = 0xc3;
		int status = CHILD(__asm__ volatile("call *%1\n movl $231, %%eax\n movl $9, %%edi\n syscall"
						    : : "a"(20), "r"(code) : "memory"));
		if (vector == 0x80)
			EXITED(status, 9);
		else if (!(WIFSIGNALED(status) && WTERMSIG(status) == (vector == 3 ? SIGTRAP : SIGSEGV))) {
			tap_note("int %#x: %s", vector, tap_describe(status));
			tap_fail();
		}
	}
}

TEST(odd_instructions)
{
	int status = CHILD(__asm__ volatile(".byte 0xf1"));
	CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGTRAP || WTERMSIG(status) == SIGILL));
	KILLED(CHILD(__asm__ volatile(".byte 0xce")), SIGILL);
	KILLED(CHILD(__asm__ volatile("ud2")), SIGILL);
	KILLED(CHILD(__asm__ volatile("int3")), SIGTRAP);
	// An instruction longer than 15 bytes.
	KILLED(CHILD(__asm__ volatile(".fill 15, 1, 0x66\n nop")), SIGSEGV);
	KILLED(CHILD(__asm__ volatile("lock; .byte 0x48, 0x01, 0xc0")), SIGILL);
	// Some processors know sysenter from 64-bit code, some do not: nobody but the child is harmed.
	status = CHILD(__asm__ volatile("movl $231, %%eax\n movl $3, %%ebx\n movq %%rsp, %%rbp\n .byte 0x0f, 0x34\n ud2" ::: "memory"));
	CHECK(WIFSIGNALED(status) || WIFEXITED(status));
}

TEST(a_call_at_the_very_end)
{
	// `syscall` as the last bytes of the highest page a program can have: the return address is the
	// first that it cannot have.
	static const uintptr_t tops[] = { 0x3fffffffe000, 0x3ffffffff000, 0x7fffffffe000, 0x7ffffffff000 };
	int mapped = 0;
	for (unsigned i = 0; i < sizeof tops / sizeof *tops; i++) {
		unsigned char *p = mmap((void *)tops[i], 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (p == MAP_FAILED)
			continue;
		mapped++;
		p[4094] = 0x0f;
		p[4095] = 0x05;
		KILLED(CHILD(__asm__ volatile("jmp *%0" : : "r"(p + 4094), "a"(SYS_getpid))), SIGSEGV);
		// The same through int $0x80.
		p[4094] = 0xcd;
		p[4095] = 0x80;
		KILLED(CHILD(__asm__ volatile("jmp *%0" : : "r"(p + 4094), "a"(20))), SIGSEGV);
		munmap(p, 4096);
	}
	CHECK(mapped > 0);
}

#define DIES(status) CHECK(WIFSIGNALED(status))

// Returns with iretq to `next`, with these selectors and flags.
#define IRET(cs, ss, flags, rip, rsp)                                                                    \
	__asm__ volatile("pushq %0\n pushq %1\n pushq %2\n pushq %3\n pushq %4\n iretq" : : "r"((long)(ss)), "r"((long)(rsp)), \
			 "r"((long)(flags)), "r"((long)(cs)), "r"((long)(rip)) : "memory")

TEST(interrupt_returns)
{
	static const unsigned short bad_cs[] = { 0, 3, 8, 0x10, 0x18, 0x40, 0x80, 0xfff8, 0xffff }, bad_ss[] = { 8, 0x10, 0x18, 0x40, 0xffff };
	char here[4096];
	need_code();
	// mov $231, %eax; mov $6, %edi; syscall
	memcpy(code, "\xb8\xe7\0\0\0\xbf\x06\0\0\0\x0f\x05", 12);
	// A right one works on a processor. An emulator may read the stack as the kernel would, and say so in
	// the fault's error code: the selector in the frame tells that it was the program all the same.
	int status = CHILD(IRET(0x33, 0x2b, 0x202, code, here + 2048));
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 6);
	for (unsigned i = 0; i < sizeof bad_cs / sizeof *bad_cs; i++)
		DIES(CHILD(IRET(bad_cs[i], 0x2b, 0x202, code, here + 2048)));
	for (unsigned i = 0; i < sizeof bad_ss / sizeof *bad_ss; i++)
		DIES(CHILD(IRET(0x33, bad_ss[i], 0x202, code, here + 2048)));
	for (int i = 0; i < PLACES; i++)
		DIES(CHILD(IRET(0x33, 0x2b, 0x202, places[i], here + 2048)));
	// A task return (NT) is no instruction of this mode.
	DIES(CHILD(__asm__ volatile("pushfq\n orq $0x4000, (%%rsp)\n popfq" ::: "memory"); IRET(0x33, 0x2b, 0x202, code, here + 2048)));
}

TEST(far_jumps)
{
	static const unsigned short selectors[] = { 0, 8, 0x10, 0x18, 0x28, 0x40, 0x80, 0x78, 0xfffc, 0xffff };
	for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++) {
		struct { unsigned offset; unsigned short selector; } __attribute__((packed)) to = { 0x401000, selectors[i] };
		DIES(CHILD(__asm__ volatile("ljmp *%0" : : "m"(to))));
		DIES(CHILD(__asm__ volatile("lcall *%0" : : "m"(to))));
		DIES(CHILD(__asm__ volatile("pushq %0\n pushq $0x401000\n lretq" : : "r"((long)selectors[i]))));
	}
}

TEST(flags_that_are_not_ours)
{
	unsigned long before, after;
	__asm__ volatile("pushfq\n popq %0" : "=r"(before));
	// Neither the I/O privilege nor the interrupt flag follow.
	__asm__ volatile("pushq %1\n popfq\n pushfq\n popq %0" : "=r"(after) : "r"((before | 0x3000) & ~0x200UL) : "cc", "memory");
	EQ(after & 0x3200, 0x200);
	KILLED(CHILD(__asm__ volatile("pushfq\n orq $0x3000, (%%rsp)\n popfq\n cli" ::: "memory")), SIGSEGV);
	KILLED(CHILD(__asm__ volatile("pushfq\n orq $0x3000, (%%rsp)\n popfq\n inb $0x64, %%al" ::: "memory")), SIGSEGV);
}

TEST(calls_with_odd_flags)
{
	// Nested task, alignment check, direction: a call, a fault and a switch of process under each.
	static const unsigned long flags[] = { 0x4000, 0x40000, 0x400, 0x44400, 0x200000 };
	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		long result, after;
		__asm__ volatile("pushfq\n orq %3, (%%rsp)\n popfq\n syscall\n pushfq\n popq %1\n"
				 "pushfq\n andq $~0x44400, (%%rsp)\n popfq"
				 : "=a"(result), "=d"(after) : "a"(SYS_getppid), "r"(flags[i]) : "rcx", "r11", "memory", "cc");
		EQ(result, getppid());
		EQ(after & flags[i] & ~0x200000UL, flags[i] & ~0x200000UL);
		// A page fault: new memory is touched.
		volatile long *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		__asm__ volatile("pushfq\n orq %1, (%%rsp)\n popfq\n movq $7, %0\n pushfq\n andq $~0x44400, (%%rsp)\n popfq"
				 : "=m"(*p) : "r"(flags[i]) : "memory", "cc");
		EQ(*p, 7);
		// A file system call that copies strings both ways.
		char name[65 * 6];
		__asm__ volatile("pushfq\n orq %2, (%%rsp)\n popfq\n syscall\n pushfq\n andq $~0x44400, (%%rsp)\n popfq"
				 : "=a"(result) : "a"(SYS_uname), "r"(flags[i]), "D"(name) : "rcx", "r11", "memory", "cc");
		EQ(result, 0);
		STREQ(name, "Linux");
		__asm__ volatile("pushfq\n orq %1, (%%rsp)\n popfq\n int $0x80\n pushfq\n andq $~0x44400, (%%rsp)\n popfq"
				 : "=a"(result) : "r"(flags[i]), "a"(20) : "r8", "r9", "r10", "r11", "memory", "cc");
		EQ(result, getpid());
	}
	// And a long loop, so that the timer interrupts under them.
	__asm__ volatile("pushfq\n orq $0x4400, (%%rsp)\n popfq\n movq $3000000, %%rcx\n 1: decq %%rcx\n jnz 1b\n"
			 "pushfq\n andq $~0x44400, (%%rsp)\n popfq" ::: "rcx", "memory", "cc");
	EXITED(CHILD(_exit(0)), 0);
}
