// The init of `./apus bench interrupts`: what a user program can measure of interrupts, exceptions, system calls and
// signals, on Apus and on Linux alike. Under QEMU's -icount shift=0 the time-stamp counter is the number of
// instructions executed. Prints `bench: NAME MINIMUM MEDIAN PERCENTILE` for each row and powers off.
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

enum { rounds = 2000, page = 4096 };
static unsigned long samples[rounds];
static unsigned long overhead;

static inline __attribute__((always_inline)) unsigned long counter(void)
{
	unsigned int low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (unsigned long)high << 32 | low;
}

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
	return x < y ? -1 : x > y;
}

static void report(const char *name)
{
	qsort(samples, rounds, sizeof samples[0], compare);
	unsigned long net[3] = { samples[0], samples[rounds / 2], samples[rounds * 99 / 100] };
	for (int i = 0; i < 3; i++)
		net[i] = net[i] > overhead ? net[i] - overhead : 0;
	printf("bench: %s %lu %lu %lu\n", name, net[0], net[1], net[2]);
}

#define MEASURE(name, operation)                                                             \
	do {                                                                                 \
		for (int i = 0; i < rounds; i++) {                                           \
			unsigned long start = counter();                                     \
			operation;                                                           \
			samples[i] = counter() - start;                                      \
		}                                                                            \
		report(name);                                                                \
	} while (0)

static inline long call0(long number)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	return result;
}

// getpid is number 20 of the 32-bit calls.
static inline long getpid80(void)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result;
}

static char *map_pages(int count)
{
	char *place = mmap(NULL, (size_t)count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED)
		exit(1);
	madvise(place, (size_t)count * page, MADV_NOHUGEPAGE);
	return place;
}

static void faults(void)
{
	volatile char *written = map_pages(rounds + 1), *read = map_pages(rounds + 1);
	// The page tables' own pages are not counted: every page has a neighbour that is there, but for one in 512.
	MEASURE("fault_anonymous_write", written[(long)i * page] = 1);
	MEASURE("fault_zero_read", (void)read[(long)i * page]);
	MEASURE("fault_copy_on_write", read[(long)i * page] = 1);
	munmap((void *)written, (size_t)(rounds + 1) * page);
	munmap((void *)read, (size_t)(rounds + 1) * page);
}

static volatile unsigned long entered;

static void on_segment(int number, siginfo_t *information, void *context)
{
	(void)number;
	(void)information;
	entered = counter();
	// Behind the access, which is a two-byte instruction (see below).
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void on_user(int number)
{
	(void)number;
	entered = counter();
}

static void signals(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = on_segment;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &action, NULL);
	char *none = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	// movb (%rdi), %al is 8a 07.
	MEASURE("sigsegv_handler_return", __asm__ volatile("movb (%%rdi), %%al" ::"D"(none) : "rax", "memory"));
	action.sa_flags = 0;
	action.sa_handler = on_user;
	sigaction(SIGUSR1, &action, NULL);
	long process = getpid(), thread = syscall(SYS_gettid);
	MEASURE("tgkill_handler_return", syscall(SYS_tgkill, process, thread, SIGUSR1));
}

static void open_console(void)
{
	if (fcntl(1, F_GETFD) >= 0)
		return;
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	int console = open("/dev/ttyS0", O_RDWR);
	dup2(console, 0);
	dup2(console, 1);
	dup2(console, 2);
}

int main(void)
{
	open_console();
	MEASURE("empty", );
	overhead = samples[rounds / 2];
	MEASURE("getpid_syscall", call0(SYS_getpid));
	MEASURE("getpid_int80", getpid80());
	faults();
	signals();
	printf("bench: end 0 0 0\n");
	fflush(stdout);
	tcdrain(1);
	reboot(RB_POWER_OFF);
	return 0;
}
