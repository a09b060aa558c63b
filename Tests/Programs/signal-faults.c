// Exceptions of the processor become signals: which one, with which code, and which address.
#include "tap.h"
#include <limits.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef SEGV_MAPERR
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#endif

static sigjmp_buf jump;
static volatile siginfo_t info;
static volatile greg_t at, trap, error_code, cr2;

static void caught(int sig, siginfo_t *from, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	info = *from;
	at = r[REG_RIP];
	trap = r[REG_TRAPNO];
	error_code = r[REG_ERR];
	cr2 = r[REG_CR2];
	siglongjmp(jump, sig);
}

static void catch_all(void)
{
	struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
	static const int all[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	for (int i = 0; i < 5; i++)
		OK(sigaction(all[i], &action, NULL));
}

// Runs the statement, which must raise this signal with this code.
#define RAISES(statement, sig, code)                                   \
	do {                                                            \
		memset((void *)&info, 0, sizeof info);                  \
		volatile int got_ = sigsetjmp(jump, 1);                 \
		if (got_ == 0) { statement; }                           \
		EQ(got_, sig);                                          \
		EQ(info.si_signo, sig);                                 \
		EQ(info.si_code, code);                                 \
	} while (0)

#define READ(address) ((void)BYTE(address))
#define CALL(address) (((void (*)(void))tap_hide((uintptr_t)(address)))())

static char *page(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST(nothing_mapped)
{
	// Where the kernel's own memory begins: nobody is told what of it is mapped, so there bit 0 is always set.
	static const uintptr_t kernel = 0x400000000000;
	static const uintptr_t places[] = { 0, 8, 0xfff, 0x1000, 0x10000, 0x400000000000,
		0x600000000000 };
	catch_all();
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		// The first pages and some far ones are nowhere mapped; skip one that happens to be.
		if (i >= 3 && msync((void *)(places[i] & ~4095UL), 4096, MS_ASYNC) == 0)
			continue;
		RAISES(READ(places[i]), SIGSEGV, SEGV_MAPERR);
		EQ(info.si_addr, (void *)places[i]);
		EQ(trap, 14);
		EQ(error_code & ~(places[i] >= kernel), 4);
		EQ(cr2, places[i]);
		RAISES(BYTE(places[i]) = 1, SIGSEGV, SEGV_MAPERR);
		EQ(info.si_addr, (void *)places[i]);
		EQ(error_code & ~(places[i] >= kernel), 6);
	}
	RAISES(CALL(8), SIGSEGV, SEGV_MAPERR);
	EQ(info.si_addr, (void *)8);
	EQ(at, 8);
}

TEST(kernel_addresses)
{
	static const uintptr_t places[] = { 0xffff800000000000, 0xffffffff80000000, 0xffffffffffffffff, 0xfffffffffffff000 };
	catch_all();
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		RAISES(READ(places[i]), SIGSEGV, SEGV_MAPERR);
		EQ(info.si_addr, (void *)places[i]);
		RAISES(BYTE(places[i]) = 1, SIGSEGV, SEGV_MAPERR);
		RAISES(CALL(places[i]), SIGSEGV, SEGV_MAPERR);
		EQ(at, places[i]);
	}
	// Just outside what a program may have.
	RAISES(READ(0x7ffffffff000), SIGSEGV, SEGV_MAPERR);
	RAISES(READ(0x7fffffffffff), SIGSEGV, SEGV_MAPERR);
}

TEST(non_canonical_addresses)
{
	catch_all();
	RAISES(READ(0x0100000000000000), SIGSEGV, SI_KERNEL);
	EQ(info.si_addr, NULL);
	EQ(trap, 13);
	RAISES(READ(0x1234567800000000), SIGSEGV, SI_KERNEL);
	RAISES(BYTE(0xdead000000000000) = 1, SIGSEGV, SI_KERNEL);
}

TEST(not_permitted)
{
	catch_all();
	char *none = page(PROT_NONE), *readable = page(PROT_READ), *data = page(PROT_READ | PROT_WRITE);
	RAISES(READ(none + 5), SIGSEGV, SEGV_ACCERR);
	EQ(info.si_addr, none + 5);
	RAISES(BYTE(none) = 1, SIGSEGV, SEGV_ACCERR);
	READ(readable);
	RAISES(BYTE(readable + 9) = 1, SIGSEGV, SEGV_ACCERR);
	EQ(info.si_addr, readable + 9);
	data[0] = (char)0xc3;
	RAISES(CALL(data), SIGSEGV, SEGV_ACCERR);
	EQ(info.si_addr, data);
	EQ(at, (uintptr_t)data);
	OK(mprotect(data, 4096, PROT_READ));
	RAISES(BYTE(data) = 1, SIGSEGV, SEGV_ACCERR);
	OK(mprotect(data, 4096, PROT_READ | PROT_EXEC));
	CALL(data);
	OK(munmap(data, 4096));
	RAISES(READ(data), SIGSEGV, SEGV_MAPERR);
}

TEST(behind_the_end_of_a_file)
{
	NEED(tap_enter());
	catch_all();
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, 5000));
	char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	READ(p + 8191);
	RAISES(READ(p + 8192), SIGBUS, BUS_ADRERR);
	EQ(info.si_addr, p + 8192);
	RAISES(BYTE(p + 12288) = 1, SIGBUS, BUS_ADRERR);
	OK(ftruncate(fd, 100));
	READ(p);
	RAISES(READ(p + 4096), SIGBUS, BUS_ADRERR);
	OK(ftruncate(fd, 16384));
	READ(p + 12288);
	char *q = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 1 << 20);
	RAISES(READ(q), SIGBUS, BUS_ADRERR);
}

TEST(divisions)
{
	catch_all();
	volatile int zero = 0, minus = -1, smallest = INT_MIN, sink;
	RAISES(sink = smallest / zero, SIGFPE, FPE_INTDIV);
	EQ((uintptr_t)info.si_addr, at);
	EQ(trap, 0);
	RAISES(sink = smallest / minus, SIGFPE, FPE_INTDIV);
	(void)sink;
}

TEST(floating_point)
{
	catch_all();
	unsigned mxcsr = 0x1f80 & ~0x200, normal = 0x1f80;
	volatile double zero = 0, one = 1, sink;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	memset((void *)&info, 0, sizeof info);
	if (sigsetjmp(jump, 1) == 0)
		sink = one / zero;
	// Some emulated processors report no SSE exception.
	if (info.si_signo) {
		EQ(info.si_signo, SIGFPE);
		EQ(info.si_code, FPE_FLTDIV);
		EQ(trap, 19);
	}
	__asm__ volatile("ldmxcsr %0" : : "m"(normal));
	(void)sink;
	unsigned short control = 0x37f & ~4;
	RAISES(__asm__ volatile("fninit\n fldcw %0\n fld1\n fldz\n fdivrp\n fwait" : : "m"(control)), SIGFPE, FPE_FLTDIV);
	EQ(trap, 16);
	__asm__ volatile("fninit");
}

TEST(illegal_instructions)
{
	catch_all();
	RAISES(__asm__ volatile("ud2"), SIGILL, ILL_ILLOPN);
	EQ((uintptr_t)info.si_addr, at);
	EQ(trap, 6);
	RAISES(__asm__ volatile(".byte 0x06"), SIGILL, ILL_ILLOPN);
	RAISES(__asm__ volatile(".byte 0x0f, 0xff, 0xc0"), SIGILL, ILL_ILLOPN);
}

TEST(privileged_instructions)
{
	catch_all();
#define PRIVILEGED(text) RAISES(__asm__ volatile(text : : : "rax", "rcx", "rdx", "memory"), SIGSEGV, SI_KERNEL)
	PRIVILEGED("hlt");
	EQ(trap, 13);
	EQ(info.si_addr, NULL);
	PRIVILEGED("cli");
	PRIVILEGED("sti");
	PRIVILEGED("movq %%cr0, %%rax");
	PRIVILEGED("movq %%rax, %%cr3");
	PRIVILEGED("movq %%cr8, %%rax");
	PRIVILEGED("movq %%rax, %%dr7");
	PRIVILEGED("movl $0x10, %%ecx\n rdmsr");
	PRIVILEGED("movl $0x10, %%ecx\n wrmsr");
	PRIVILEGED("inb $0x80, %%al");
	PRIVILEGED("outb %%al, $0x80");
	PRIVILEGED("movw $0x60, %%dx\n inb %%dx, %%al");
	PRIVILEGED("invlpg (%%rsp)");
	PRIVILEGED("lgdt (%%rsp)");
	PRIVILEGED("lidt (%%rsp)");
	PRIVILEGED("clts");
	PRIVILEGED("wbinvd");
	PRIVILEGED("invd");
	PRIVILEGED("swapgs");
	PRIVILEGED("sysretq");
	PRIVILEGED("movw $0x10, %%ax\n ltr %%ax");
	PRIVILEGED("movw $8, %%ax\n lldt %%ax");
	PRIVILEGED("movw $0x7fff, %%ax\n movw %%ax, %%ss");
	PRIVILEGED("movw $0x7ff0, %%ax\n movw %%ax, %%ds");
}

TEST(traps)
{
	catch_all();
	RAISES(__asm__ volatile("int3"), SIGTRAP, SI_KERNEL);
	EQ(trap, 3);
	CHECK(*(unsigned char *)(at - 1) == 0xcc);
	// The trap flag stops behind the next instruction.
	RAISES(__asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n nop\n nop" : : : "memory", "cc"), SIGTRAP, TRAP_TRACE);
	EQ(trap, 1);
	EQ((uintptr_t)info.si_addr, at);
}

#define CONTEXT(number, error) do { EQ(trap, number); EQ(error_code, error); } while (0)

// Each exception that a program can raise, by its number; the others (2, 5, 7 to 11, 15, 18, 20, 21) need a machine, a
// segment or a mode that no program of 64 bits has.
TEST(trap_numbers_and_error_codes)
{
	catch_all();
	volatile int zero = 0, sink;
	RAISES(sink = 7 / zero, SIGFPE, FPE_INTDIV);
	CONTEXT(0, 0);
	(void)sink;
	RAISES(__asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n nop\n nop" : : : "memory", "cc"), SIGTRAP, TRAP_TRACE);
	CONTEXT(1, 0);
	RAISES(__asm__ volatile("int3"), SIGTRAP, SI_KERNEL);
	CONTEXT(3, 0);
	RAISES(__asm__ volatile("int $4"), SIGSEGV, SI_KERNEL);
	CONTEXT(4, 0);
	RAISES(__asm__ volatile("ud2"), SIGILL, ILL_ILLOPN);
	CONTEXT(6, 0);
	RAISES(__asm__ volatile("hlt"), SIGSEGV, SI_KERNEL);
	CONTEXT(13, 0);
	RAISES(__asm__ volatile("movw $0x7fff, %%ax\n movw %%ax, %%ss" : : : "rax"), SIGSEGV, SI_KERNEL);
	CONTEXT(13, 0x7ffc);
	char *readable = page(PROT_READ), *data = page(PROT_READ | PROT_WRITE);
	READ(readable);
	data[0] = (char)0xc3;
	// Bits: present, write, user, reserved, fetch.
	RAISES(READ(8), SIGSEGV, SEGV_MAPERR);
	CONTEXT(14, 4);
	RAISES(BYTE(8) = 1, SIGSEGV, SEGV_MAPERR);
	CONTEXT(14, 6);
	RAISES(BYTE(readable) = 1, SIGSEGV, SEGV_ACCERR);
	CONTEXT(14, 7);
	EQ(cr2, (uintptr_t)readable);
	RAISES(CALL(8), SIGSEGV, SEGV_MAPERR);
	CONTEXT(14, 0x14);
	RAISES(CALL(data), SIGSEGV, SEGV_ACCERR);
	CONTEXT(14, 0x15);
	EQ(cr2, (uintptr_t)data);
	unsigned short control = 0x37f & ~4;
	RAISES(__asm__ volatile("fninit\n fldcw %0\n fld1\n fldz\n fdivrp\n fwait" : : "m"(control)), SIGFPE, FPE_FLTDIV);
	CONTEXT(16, 0);
	__asm__ volatile("fninit");
}

TEST(stack_and_alignment)
{
	static char stack[1 << 16];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	OK(sigaltstack(&alternate, NULL));
	OK(sigaction(SIGBUS, &action, NULL));
	OK(sigaction(SIGSEGV, &action, NULL));
	volatile int got = sigsetjmp(jump, 1);
	if (got == 0)
		__asm__ volatile("movabsq $0x8000000000000000, %%rsp\n pushq %%rax" : : : "memory");
	// A processor says stack fault; an emulator may say general protection.
	CHECK((got == SIGBUS && trap == 12) || (got == SIGSEGV && trap == 13));
	EQ(error_code, 0);
	EQ(info.si_code, SI_KERNEL);
	memset((void *)&info, 0, sizeof info);
	got = sigsetjmp(jump, 1);
	if (got == 0) {
		long value;
		__asm__ volatile("pushfq\n orq $0x40000, (%%rsp)\n popfq\n movq 1(%1), %0\n pushfq\n andq $~0x40000, (%%rsp)\n popfq"
				 : "=r"(value) : "r"(stack) : "memory", "cc");
	}
	// The handler left without putting the flag back.
	__asm__ volatile("pushfq\n andq $~0x40000, (%%rsp)\n popfq" : : : "memory", "cc");
	// Some emulated processors check no alignment.
	if (got) {
		EQ(got, SIGBUS);
		EQ(info.si_code, BUS_ADRALN);
		CONTEXT(17, 0);
	}
}

TEST(software_interrupts_tell_their_vector)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(code != MAP_FAILED);
	catch_all();
	for (volatile int n = 0; n < 256; n++) {
		bool open = n == 3 || n == 4;
		if (n == 0x80)
			continue;
		code[0] = 0xcd;
		code[1] = n;
		code[2] = 0xc3;
		RAISES(CALL(code), n == 3 ? SIGTRAP : SIGSEGV, SI_KERNEL);
		// The gates of 3 and 4 are open to programs; at the others the processor tells which one it was: eight times
		// its number (some emulators: sixteen times), and that it means a gate.
		EQ(trap, open ? n : 13);
		if (open || error_code != n * 16 + 2)
			EQ(error_code, open ? 0 : n * 8 + 2);
		EQ(at, (uintptr_t)code + (open ? 2 : 0));
		EQ(info.si_addr, NULL);
	}
}

static volatile int steps;
static void step(int sig, siginfo_t *from, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)sig, (void)from;
	if (++steps == 8)
		r[REG_EFL] &= ~0x100L;
}

TEST(single_steps_over_a_system_call)
{
	struct sigaction action = { .sa_sigaction = step, .sa_flags = SA_SIGINFO };
	long result;
	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n nop\n syscall\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop"
			 : "=a"(result) : "a"(SYS_getpid) : "rcx", "r11", "memory", "cc");
	EQ(result, getpid());
	EQ(steps, 8);
}

TEST(unhandled_faults_kill)
{
	KILLED(CHILD(READ(8)), SIGSEGV);
	KILLED(CHILD(__asm__ volatile("ud2")), SIGILL);
	KILLED(CHILD(__asm__ volatile("int3")), SIGTRAP);
	KILLED(CHILD(volatile int zero = 0; _exit(7 / zero)), SIGFPE);
	// Blocking or ignoring does not help.
	KILLED(CHILD(signal(SIGSEGV, SIG_IGN); READ(8)), SIGSEGV);
	KILLED(CHILD(sigset_t set; sigfillset(&set); sigprocmask(SIG_BLOCK, &set, NULL); READ(8)), SIGSEGV);
	KILLED(CHILD(catch_all(); sigset_t set; sigfillset(&set); sigprocmask(SIG_BLOCK, &set, NULL); READ(8)), SIGSEGV);
}

static void faulty(int sig) { (void)sig; READ(16); }

TEST(fault_in_the_handler_of_that_fault_kills)
{
	KILLED(CHILD(signal(SIGSEGV, faulty); READ(8)), SIGSEGV);
}

TEST(faults_by_a_call_are_errors_not_signals)
{
	catch_all();
	ERR(write(1, (void *)tap_hide(8), 1), EFAULT);
	ERR(write(1, (void *)tap_hide(0xffff800000000000), 1), EFAULT);
	ERR(write(1, (void *)tap_hide(0x800000000000), 1), EFAULT);
	ERR(pipe((int *)page(PROT_READ)), EFAULT);
}
