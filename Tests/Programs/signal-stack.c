// The alternate signal stack, and what a handler finds and leaves when it returns: registers, mask, flags.
#include "tap.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

static char alternate[65536] __attribute__((aligned(16)));
static volatile int count, on_alternate, flags_seen, error_inside;
static volatile uintptr_t address;
static sigjmp_buf jump;

static bool within(const void *p)
{
	return (const char *)p >= alternate && (const char *)p < alternate + sizeof alternate;
}

static void use(size_t size, int flags)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = size, .ss_flags = flags };
	OK(sigaltstack(&stack, NULL));
}

static void act(int sig, void (*body)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = body, .sa_flags = flags | SA_SIGINFO };
	OK(sigaction(sig, &action, NULL));
}

static void look(int sig, siginfo_t *info, void *context)
{
	char here;
	stack_t now, other = { .ss_sp = alternate, .ss_size = 16384 };
	(void)sig;
	on_alternate = within((void *)tap_hide((uintptr_t)&here)) && within(info) && within(context);
	sigaltstack(NULL, &now);
	flags_seen = now.ss_flags;
	error_inside = sigaltstack(&other, NULL) < 0 ? errno : 0;
	EQ(((uintptr_t)info | (uintptr_t)context) & 7, 0);
	count++;
}

TEST(alternate_stack_is_used_when_asked)
{
	stack_t old;
	OK(sigaltstack(NULL, &old));
	EQ(old.ss_flags, SS_DISABLE);
	use(sizeof alternate, 0);
	OK(sigaltstack(NULL, &old));
	EQ(old.ss_flags, 0);
	CHECK(old.ss_sp == alternate);
	EQ(old.ss_size, sizeof alternate);
	act(SIGUSR1, look, 0);
	raise(SIGUSR1);
	EQ(on_alternate, 0);
	EQ(flags_seen, 0);
	use(sizeof alternate, 0);
	act(SIGUSR1, look, SA_ONSTACK);
	raise(SIGUSR1);
	EQ(on_alternate, 1);
	EQ(flags_seen, SS_ONSTACK);
	EQ(error_inside, EPERM);
	EQ(count, 2);
}

TEST(alternate_stack_refusals)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = 1024 };
	ERR(sigaltstack(&stack, NULL), ENOMEM);
	stack = (stack_t){ .ss_sp = alternate, .ss_size = 16384, .ss_flags = 55 };
	ERR(sigaltstack(&stack, NULL), EINVAL);
	ERR(syscall(SYS_sigaltstack, 8L, NULL), EFAULT);
	ERR(syscall(SYS_sigaltstack, NULL, 8L), EFAULT);
	stack = (stack_t){ .ss_flags = SS_DISABLE };
	OK(sigaltstack(&stack, NULL));
}

TEST(alternate_stack_and_fork)
{
	use(sizeof alternate, 0);
	EXITED(CHILD(stack_t now; OK(sigaltstack(NULL, &now)); EQ(now.ss_flags, 0); CHECK(now.ss_sp == alternate)), 0);
}

static void again(int sig, siginfo_t *info, void *context)
{
	look(sig, info, context);
	if (count < 3)
		raise(sig);
}

TEST(nested_handlers_share_the_alternate_stack)
{
	use(sizeof alternate, 0);
	act(SIGUSR1, again, SA_ONSTACK | SA_NODEFER);
	raise(SIGUSR1);
	EQ(count, 3);
	EQ(on_alternate, 1);
}

static void overflowed(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	address = (uintptr_t)info->si_addr;
	siglongjmp(jump, 1);
}

__attribute__((noinline)) static int recurse(int n)
{
	volatile char page[4096];
	page[0] = page[4095] = n;
	return n ? recurse(n + 1) + page[0] : 0;
}

TEST(stack_overflow_is_caught_there)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	char here;
	OK(setrlimit(RLIMIT_STACK, &limit));
	use(sizeof alternate, 0);
	act(SIGSEGV, overflowed, SA_ONSTACK);
	for (volatile int i = 0; i < 2; i++) {
		address = 0;
		if (sigsetjmp(jump, 1) == 0)
			recurse(1);
		CHECK(address < (uintptr_t)&here && address > (uintptr_t)&here - (2 << 20));
	}
	// Without another stack the process dies.
	KILLED(CHILD(signal(SIGSEGV, SIG_DFL); recurse(1)), SIGSEGV);
	KILLED(CHILD(act(SIGSEGV, overflowed, 0); recurse(1)), SIGSEGV);
}

static void change(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	EQ(r[REG_RBX], 0x1111111122222222);
	EQ(r[REG_R15], 15);
	EQ(r[REG_EFL] & 0x400, 0x400);
	r[REG_RIP] += 2;
	r[REG_RBX] = 0x3333;
	r[REG_RAX] = 0x4444;
	r[REG_RCX] = 0x5555;
	r[REG_R11] = 0x6666;
	r[REG_R15] = 0x7777;
	r[REG_EFL] |= 0x41;
}

TEST(registers_a_handler_changes)
{
	unsigned long rax = 0, rbx = 0x1111111122222222, rcx, r11, r15, flags;
	act(SIGILL, change, 0);
	__asm__ volatile(
		"movq $15, %%r15\n std\n ud2\n pushfq\n cld\n popq %2\n movq %%r11, %3\n movq %%r15, %4"
		: "+a"(rax), "+b"(rbx), "=d"(flags), "=r"(r11), "=r"(r15), "=c"(rcx)
		: : "r11", "r15", "memory", "cc");
	EQ(rax, 0x4444);
	EQ(rbx, 0x3333);
	EQ(rcx, 0x5555);
	EQ(r11, 0x6666);
	EQ(r15, 0x7777);
	EQ(flags & 0x441, 0x441);
}

static volatile uintptr_t entry_rsp, entry_flags;

__attribute__((naked)) static void bare(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	__asm__ volatile("movq %%rsp, %0\n pushfq\n popq %1\n cld\n ret" : "=m"(entry_rsp), "=m"(entry_flags));
}

TEST(entry_of_a_handler)
{
	act(SIGUSR1, bare, 0);
	long result;
	// Direction flag and trap flag are clear, the stack is as after a call.
	__asm__ volatile("std\n syscall\n cld" : "=a"(result) : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	EQ(result, 0);
	EQ(entry_rsp % 16, 8);
	EQ(entry_flags & 0x500, 0);
}

static void red_handler(int sig, siginfo_t *info, void *context)
{
	volatile char room[2048];
	memset((char *)room, 0xee, sizeof room);
	(void)sig, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

TEST(red_zone_is_left_alone)
{
	unsigned long bad = 1;
	act(SIGILL, red_handler, 0);
	__asm__ volatile(
		"leaq -4096(%%rsp), %%rsp\n"
		"movq $16, %%rcx\n"
		"1: negq %%rcx\n movq %%rcx, (%%rsp,%%rcx,8)\n negq %%rcx\n decq %%rcx\n jnz 1b\n"
		"ud2\n"
		"xorq %0, %0\n movq $16, %%rcx\n"
		"1: negq %%rcx\n movq (%%rsp,%%rcx,8), %%rax\n xorq %%rcx, %%rax\n orq %%rax, %0\n negq %%rcx\n decq %%rcx\n jnz 1b\n"
		"leaq 4096(%%rsp), %%rsp"
		: "+b"(bad) : : "rax", "rcx", "memory", "cc");
	EQ(bad, 0);
}

static void block_more(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	ucontext_t *c = context;
	EQ(sigismember(&c->uc_sigmask, SIGHUP), 1);
	EQ(sigismember(&c->uc_sigmask, SIGUSR1), 0);
	sigaddset(&c->uc_sigmask, SIGUSR2);
	sigdelset(&c->uc_sigmask, SIGHUP);
}

TEST(mask_a_handler_changes)
{
	sigset_t set, now;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_SETMASK, &set, NULL);
	act(SIGUSR1, block_more, 0);
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	EQ(sigismember(&now, SIGUSR2), 1);
	EQ(sigismember(&now, SIGHUP), 0);
}

TEST(undeliverable_kills)
{
	// The handler's address, or the stack, cannot be used.
	KILLED(CHILD(signal(SIGUSR1, (void (*)(int))0x10); raise(SIGUSR1)), SIGSEGV);
	KILLED(CHILD(signal(SIGUSR1, (void (*)(int))0xffff800000000000); raise(SIGUSR1)), SIGSEGV);
	KILLED(CHILD(signal(SIGUSR1, (void (*)(int))0x800000000000); raise(SIGUSR1)), SIGSEGV);
	KILLED(CHILD(act(SIGSEGV, look, 0); __asm__ volatile("xorl %%esp, %%esp\n movq (%%rsp), %%rax" ::: "rax")), SIGSEGV);
	KILLED(CHILD(act(SIGILL, look, 0); __asm__ volatile("movq $0xffff800000000000, %%rsp\n ud2" ::: "memory")), SIGSEGV);
	KILLED(CHILD(act(SIGILL, look, 0); __asm__ volatile("movq $0x800000000000, %%rsp\n ud2" ::: "memory")), SIGSEGV);
	KILLED(CHILD(act(SIGUSR1, look, SA_ONSTACK); stack_t s = { .ss_sp = (void *)0x1000, .ss_size = 65536 };
		     OK(sigaltstack(&s, NULL)); raise(SIGUSR1)), SIGSEGV);
}
