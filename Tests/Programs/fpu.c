// Vector and floating-point registers belong to one thread: they survive other threads, other processes,
// system calls, page faults and signal handlers, and nothing of them leaks into anybody else.
#include "tap.h"
#include <cpuid.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { THREADS = 6, ROUNDS = 150 };
typedef struct { unsigned char bytes[16][32]; } __attribute__((aligned(32))) registers;

static bool has_avx(void)
{
	unsigned a, b, c, d, low, high;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1 << 27) || !(c & 1 << 28))
		return false;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & 6) == 6;
}

#define EACH(op, sep) op(0) sep op(1) sep op(2) sep op(3) sep op(4) sep op(5) sep op(6) sep op(7) sep op(8) sep \
	op(9) sep op(10) sep op(11) sep op(12) sep op(13) sep op(14) sep op(15)
#define LOAD_X(n) "movdqu " #n "*32(%0), %%xmm" #n "\n"
#define SAVE_X(n) "movdqu %%xmm" #n ", " #n "*32(%0)\n"
#define LOAD_Y(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n"
#define SAVE_Y(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n"
#define VECTORS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
	"xmm13", "xmm14", "xmm15"

// Loads all vector registers from `in`, makes one system call and spins, stores them to `out`.
__attribute__((noinline)) static long hold(const registers *in, registers *out, bool avx, long call, long a, long b)
{
	long result;
#define BODY(load, save)                                                                                \
	__asm__ volatile(EACH(load, ) "movq %5, %%rax\n movq %6, %%rdi\n movq %7, %%rsi\n syscall\n"    \
			 "movq $2000, %%rcx\n 1: pause\n decq %%rcx\n jnz 1b\n"                         \
			 "movq %3, %0\n" EACH(save, )                                                   \
			 : "+r"(in), "=&a"(result) : "m"(*in), "r"(out), "m"(*out), "r"(call), "r"(a), "r"(b) \
			 : "rcx", "r11", "rdi", "rsi", "memory", "cc", VECTORS)
	if (avx)
		BODY(LOAD_Y, SAVE_Y);
	else
		BODY(LOAD_X, SAVE_X);
	return result;
}

static void fill(registers *r, unsigned seed, bool avx)
{
	memset(r, 0, sizeof *r);
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < (avx ? 32 : 16); j++)
			r->bytes[i][j] = (seed = seed * 1103515245 + 12345) >> 16;
}

// How many of the rounds came back changed.
static int changed(unsigned seed, int rounds)
{
	bool avx = has_avx();
	int bad = 0;
	registers in, out;
	for (int i = 0; i < rounds; i++) {
		fill(&in, seed + i * 7919, avx);
		fill(&out, 0, avx);
		hold(&in, &out, avx, SYS_sched_yield, 0, 0);
		for (int n = 0; n < 16; n++)
			bad += memcmp(in.bytes[n], out.bytes[n], avx ? 32 : 16) != 0;
	}
	return bad;
}

static void *thread_body(void *argument)
{
	return (void *)(long)changed(1000 + (long)argument, ROUNDS);
}

TEST(vectors_of_threads)
{
	pthread_t thread[THREADS];
	for (long i = 0; i < THREADS; i++)
		EQ(pthread_create(&thread[i], NULL, thread_body, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		void *bad;
		EQ(pthread_join(thread[i], &bad), 0);
		EQ((long)bad, 0);
	}
}

TEST(vectors_of_processes)
{
	pid_t child[THREADS];
	for (int i = 0; i < THREADS; i++)
		child[i] = SPAWN(EQ(changed(5000 + i, ROUNDS), 0));
	for (int i = 0; i < THREADS; i++)
		EXITED(tap_wait(child[i]), 0);
}

static void clobber(int sig)
{
	registers junk;
	(void)sig;
	fill(&junk, 99, has_avx());
	hold(&junk, &junk, has_avx(), SYS_getppid, 0, 0);
	unsigned mxcsr = 0x9fc0;
	__asm__ volatile("ldmxcsr %0\n fninit\n fldpi\n fldpi" : : "m"(mxcsr));
}

TEST(vectors_over_a_handler)
{
	bool avx = has_avx();
	registers in, out;
	signal(SIGUSR1, clobber);
	for (int i = 0; i < 20; i++) {
		fill(&in, 31 + i, avx);
		hold(&in, &out, avx, SYS_kill, getpid(), SIGUSR1);
		for (int n = 0; n < 16; n++)
			EQ(memcmp(in.bytes[n], out.bytes[n], avx ? 32 : 16), 0);
	}
}

TEST(vectors_over_nested_handlers)
{
	bool avx = has_avx();
	registers in, out;
	struct sigaction action = { .sa_handler = clobber, .sa_flags = SA_NODEFER };
	sigaction(SIGALRM, &action, NULL);
	struct { struct timeval a, b; } often = { { 0, 700 }, { 0, 700 } };
	syscall(SYS_setitimer, 0L, &often, NULL);
	int bad = 0;
	for (int i = 0; i < 100; i++) {
		fill(&in, i, avx);
		hold(&in, &out, avx, SYS_sched_yield, 0, 0);
		for (int n = 0; n < 16; n++)
			bad += memcmp(in.bytes[n], out.bytes[n], avx ? 32 : 16) != 0;
	}
	memset(&often, 0, sizeof often);
	syscall(SYS_setitimer, 0L, &often, NULL);
	EQ(bad, 0);
}

TEST(control_words)
{
	unsigned mxcsr = 0x3f80, seen = 0;
	unsigned short control = 0x27f, word = 0;
	__asm__ volatile("ldmxcsr %0\n fldcw %1" : : "m"(mxcsr), "m"(control));
	for (int i = 0; i < 10; i++)
		syscall(SYS_sched_yield);
	signal(SIGUSR1, clobber);
	raise(SIGUSR1);
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(seen), "=m"(word));
	EQ(seen & 0xffc0, mxcsr);
	EQ(word, control);
	// A child begins with its parent's.
	EXITED(CHILD(__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(seen), "=m"(word)); EQ(seen & 0xffc0, mxcsr); EQ(word, control)), 0);
}

static volatile unsigned handler_mxcsr;
static volatile unsigned short handler_control;
static void observe(int sig)
{
	unsigned a;
	unsigned short b;
	(void)sig;
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(a), "=m"(b));
	handler_mxcsr = a;
	handler_control = b;
}

TEST(handlers_begin_with_fresh_control_words)
{
	unsigned mxcsr = 0x3f80;
	unsigned short control = 0x27f;
	signal(SIGUSR1, observe);
	__asm__ volatile("ldmxcsr %0\n fldcw %1" : : "m"(mxcsr), "m"(control));
	raise(SIGUSR1);
	EQ(handler_mxcsr, 0x1f80);
	EQ(handler_control, 0x37f);
}

TEST(x87_stack)
{
	long double in = 3.14159265358979323846L, out = 0;
	signal(SIGUSR1, clobber);
	long result = SYS_kill;
	__asm__ volatile("fninit\n fldt %1\n syscall\n fstpt %2"
			 : "+a"(result) : "m"(in), "m"(out), "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory");
	CHECK(memcmp(&in, &out, 10) == 0);
}

HELPER(fresh)
{
	unsigned mxcsr;
	unsigned short control;
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(mxcsr), "=m"(control));
	return mxcsr == 0x1f80 && control == 0x37f ? 0 : 1;
}

TEST(a_new_program_begins_afresh)
{
	unsigned mxcsr = 0x3f80;
	unsigned short control = 0x27f;
	EXITED(CHILD(
		__asm__ volatile("ldmxcsr %0\n fldcw %1" : : "m"(mxcsr), "m"(control));
		execl("/proc/self/exe", "fpu", "--fresh", NULL)), 0);
}

TEST(fork_copies_the_vectors)
{
	bool avx = has_avx();
	registers in, out;
	fill(&in, 4242, avx);
	long pid = hold(&in, &out, avx, SYS_fork, 0, 0);
	int bad = 0;
	for (int n = 0; n < 16; n++)
		bad += memcmp(in.bytes[n], out.bytes[n], avx ? 32 : 16) != 0;
	if (pid == 0)
		_exit(bad);
	EQ(bad, 0);
	EXITED(tap_wait(pid), 0);
}

static volatile uintptr_t state_address;
static volatile unsigned char frame_xmm[16];
static void alter(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	ucontext_t *c = context;
	state_address = (uintptr_t)c->uc_mcontext.fpregs;
	if (!state_address)
		return;
	unsigned char *xmm3 = (unsigned char *)state_address + 160 + 3 * 16;
	memcpy((void *)frame_xmm, xmm3, 16);
	memset(xmm3, 0x77, 16);
}

TEST(handler_sees_and_changes_the_vectors)
{
	registers in, out;
	struct sigaction action = { .sa_sigaction = alter, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &action, NULL);
	fill(&in, 17, has_avx());
	hold(&in, &out, has_avx(), SYS_kill, getpid(), SIGUSR1);
	CHECK(state_address != 0);
	EQ(memcmp((void *)frame_xmm, in.bytes[3], 16), 0);
	for (int i = 0; i < 16; i++)
		EQ(out.bytes[3][i], 0x77);
	EQ(memcmp(out.bytes[4], in.bytes[4], 16), 0);
}

TEST(spoiled_state_in_the_frame_is_survived)
{
	// A reserved bit of MXCSR, a wild pointer: the process may die, nobody else.
	for (int i = 0; i < 3; i++) {
		int status = CHILD(struct sigaction action = { .sa_flags = SA_SIGINFO };
			extern void spoil0(int, siginfo_t *, void *);
			extern void spoil1(int, siginfo_t *, void *);
			extern void spoil2(int, siginfo_t *, void *);
			action.sa_sigaction = i == 0 ? spoil0 : i == 1 ? spoil1 : spoil2;
			sigaction(SIGUSR1, &action, NULL);
			raise(SIGUSR1));
		CHECK(WIFEXITED(status) || WTERMSIG(status) == SIGSEGV);
	}
	EQ(changed(77, 20), 0);
}

void spoil0(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	unsigned char *state = (void *)((ucontext_t *)context)->uc_mcontext.fpregs;
	memset(state + 24, 0xff, 4);
}
void spoil1(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	((ucontext_t *)context)->uc_mcontext.fpregs = (void *)0xffff800000000000;
}
void spoil2(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	unsigned char *state = (void *)((ucontext_t *)context)->uc_mcontext.fpregs;
	memset(state + 464, 0xff, 48);
	memset(state + 512, 0xff, 64);
}
