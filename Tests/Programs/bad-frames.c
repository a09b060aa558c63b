// Forged signal frames: what a program puts into the frame from which the kernel restores its registers
// may end that program, and gives it nothing it may not have.
#include "tap.h"
#include <sys/mman.h>
#include <ucontext.h>

static volatile struct change { int reg; unsigned long long value; } change;

static void forge(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[change.reg] = change.value;
}

static void forged(int reg, unsigned long long value)
{
	struct sigaction action = { .sa_sigaction = forge, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &action, NULL);
	change.reg = reg;
	change.value = value;
	syscall(SYS_kill, getpid(), SIGUSR1);
}

static const unsigned long long places[] = { 0, 0x400000000000, 0x400000100000, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000,
	0x0100000000000000, 0xdeadbeefdeadbeef, 0xffff800000000000, 0xffffffff81000000, 0xffffffffffffffff };
enum { PLACES = sizeof places / sizeof *places };

TEST(instruction_pointer)
{
	for (int i = 0; i < PLACES; i++)
		KILLED(CHILD(forged(REG_RIP, places[i])), SIGSEGV);
}

TEST(stack_pointer)
{
	for (int i = 0; i < PLACES; i++) {
		int status = CHILD(forged(REG_RSP, places[i]));
		CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS));
	}
}

// The selectors lie in one word: cs, gs, fs, ss, sixteen bits each.
static void forged_selectors(int cs, int ss)
{
	forged(REG_CSGSFS, (unsigned long long)cs | (unsigned long long)ss << 48);
}

TEST(selectors)
{
	static const int cs[] = { 0, 3, 8, 0x10, 0x18, 0x20, 0x28, 0x2b, 0x40, 0x43, 0x80, 0x83, 0x7ff0, 0xfffb, 0xffff };
	static const int ss[] = { 0x10, 0x33, 0x40, 0x43, 0x80, 0x83, 0xfff8, 0xffff };
	EXITED(CHILD(forged_selectors(0x33, 0x2b); _exit(4)), 4);
	for (unsigned i = 0; i < sizeof cs / sizeof *cs; i++) {
		int status = CHILD(forged_selectors(cs[i], 0x2b); _exit(4));
		// Linux sets the privilege bits itself, so that some of them become right.
		CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 4);
	}
	for (unsigned i = 0; i < sizeof ss / sizeof *ss; i++) {
		int status = CHILD(forged_selectors(0x33, ss[i]); _exit(4));
		CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 4);
	}
	KILLED(CHILD(forged_selectors(0x43, 0x2b); _exit(4)), SIGSEGV);
	KILLED(CHILD(forged_selectors(0xffff, 0x2b); _exit(4)), SIGSEGV);
}

TEST(privilege_does_not_come_with_the_selector)
{
	// Whatever the frame says, the code afterwards runs as a program's.
	static const int cs[] = { 0, 8, 0x10, 0x18, 0x30, 0x38 };
	for (unsigned i = 0; i < sizeof cs / sizeof *cs; i++) {
		int status = CHILD(forged_selectors(cs[i], 0x2b); __asm__ volatile("cli"); _exit(4));
		CHECK(WIFSIGNALED(status));
	}
}

TEST(flags)
{
	unsigned long after;
	struct sigaction action = { .sa_sigaction = forge, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &action, NULL);
	change.reg = REG_EFL;
	// All but the trap flag (and the direction, of which C code would not think).
	change.value = ~0x500ULL;
	__asm__ volatile("syscall\n pushfq\n popq %%rdx\n pushq $0x202\n popfq"
			 : "=&d"(after) : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory", "cc");
	EQ(after & 0x3000, 0);          // I/O privilege
	EQ(after & 0x200, 0x200);       // interrupts
	EQ(after & 0x20000, 0);         // virtual 8086
	EQ(after & 0x4000, 0);          // nested task
	EQ(after & 0x8d5, 0x8d5);       // what arithmetic sets
	change.value = 0;
	__asm__ volatile("syscall\n pushfq\n popq %%rdx"
			 : "=&d"(after) : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory", "cc");
	EQ(after & 0x3200, 0x200);
	EQ(after & 0x8d5, 0);
	KILLED(CHILD(change.value = 0x302; raise(SIGUSR1)), SIGTRAP);
}

// rt_sigreturn out of nowhere, with the stack pointer at this place.
__attribute__((noinline)) static void return_from(uintptr_t stack)
{
	__asm__ volatile("movq %0, %%rsp\n movl $15, %%eax\n syscall\n ud2" : : "r"(stack) : "memory");
}

TEST(returns_from_no_signal)
{
	for (int i = 0; i < PLACES; i++)
		KILLED(CHILD(return_from(places[i])), SIGSEGV);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	// A frame of zeros, one that ends with the page, one in memory that may not be read.
	KILLED(CHILD(return_from((uintptr_t)p + 2048)), SIGSEGV);
	OK(munmap(p + 4096, 4096));
	KILLED(CHILD(return_from((uintptr_t)p + 4096 - 64)), SIGSEGV);
	OK(mprotect(p, 4096, PROT_NONE));
	KILLED(CHILD(return_from((uintptr_t)p + 2048)), SIGSEGV);
}

TEST(frames_of_random_bytes)
{
	uint64_t seed = 88172645463325252ULL;
	for (int round = 0; round < 60; round++) {
		int status = CHILD(
			static unsigned char frame[4096] __attribute__((aligned(64)));
			for (int i = 0; i < round * 7; i++)
				seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			for (int i = 0; i < 4096; i++) {
				seed ^= seed << 13;
				seed ^= seed >> 7;
				seed ^= seed << 17;
				frame[i] = seed >> 24;
			}
			alarm(5);
			// The state's address: nowhere, or something readable that is no state.
			*(uintptr_t *)(frame + 1024 + 40 + 23 * 8 - 8) = round % 3 == 0 ? 0 : round % 3 == 1 ? (uintptr_t)frame + 2048 : seed;
			return_from((uintptr_t)frame + 1024));
		CHECK(WIFSIGNALED(status));
	}
	EXITED(CHILD(_exit(0)), 0);
}

static void lose_the_stack(int sig)
{
	(void)sig;
	__asm__ volatile("xorl %%esp, %%esp\n ud2" ::: "memory");
}

static void fill_the_stack(int sig)
{
	char space[512];
	memset((char *)tap_hide((uintptr_t)space), 0, 512);
	raise(sig);
	CHECK(space[0] == 0);
}

TEST(handlers_that_never_return)
{
	KILLED(CHILD(signal(SIGUSR1, lose_the_stack); raise(SIGUSR1)), SIGILL);
	// Without end: each handler raises the signal again until the stack is used up.
	struct sigaction action = { .sa_handler = fill_the_stack, .sa_flags = SA_NODEFER };
	KILLED(CHILD(sigaction(SIGUSR1, &action, NULL); raise(SIGUSR1)), SIGSEGV);
}

TEST(frame_in_shared_memory_that_changes)
{
	// A frame that another process overwrites while signals come and go.
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++) {
		pid_t writer = SPAWN(for (unsigned n = 1;; n = n * 1664525 + 1013904223) ((volatile unsigned *)stack)[n >> 18] = n);
		int status = CHILD(
			stack_t alternate = { .ss_sp = stack, .ss_size = 65536 };
			struct sigaction action = { .sa_sigaction = forge, .sa_flags = SA_SIGINFO | SA_ONSTACK };
			alarm(2);
			signal(SIGALRM, SIG_DFL);
			sigaltstack(&alternate, NULL);
			sigaction(SIGUSR1, &action, NULL);
			change.reg = REG_CR2;
			for (int n = 0; n < 2000; n++)
				syscall(SYS_kill, getpid(), SIGUSR1));
		CHECK(WIFSIGNALED(status) || WIFEXITED(status));
		OK(kill(writer, SIGKILL));
		tap_wait(writer);
	}
	EXITED(CHILD(_exit(0)), 0);
}
