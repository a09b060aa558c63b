// The init of `./apus bench crosscpu`: what a user program can measure of calls between CPUs: TLB shootdown under what the
// memory calls do, wake-ups here and there, processes and threads. Under QEMU's -icount shift=0 the time-stamp
// counter is the number of instructions that all CPUs have executed. Prints `bench: NAME MINIMUM MEDIAN PERCENTILE` for
// each row and powers off.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

enum { most = 1000, page = 4096, FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };
static unsigned long samples[most];
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

static void report(const char *name, int rounds)
{
	qsort(samples, rounds, sizeof samples[0], compare);
	unsigned long net[3] = { samples[0], samples[rounds / 2], samples[rounds * 99 / 100] };
	for (int i = 0; i < 3; i++)
		net[i] = net[i] > overhead ? net[i] - overhead : 0;
	printf("bench: %s %lu %lu %lu\n", name, net[0], net[1], net[2]);
	fflush(stdout);
}

#define MEASURE(name, rounds, operation)                                                     \
	do {                                                                                 \
		for (int i = 0; i < (rounds); i++) {                                         \
			unsigned long start = counter();                                     \
			operation;                                                           \
			samples[i] = counter() - start;                                      \
		}                                                                            \
		report(name, rounds);                                                        \
	} while (0)

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		exit(2);
}

static int processors(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static char *map_pages(int count)
{
	char *place = mmap(NULL, (size_t)count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED)
		exit(3);
	return place;
}

static void touch(char *place, int count)
{
	for (int i = 0; i < count; i++)
		*(volatile char *)(place + (size_t)i * page) = 1;
}

// --- Memory, while a thread of this program runs on each other CPU.

static atomic_int running, over;

static void *spin(void *argument)
{
	pin((int)(long)argument);
	atomic_fetch_add(&running, 1);
	while (!atomic_load_explicit(&over, memory_order_relaxed))
		__builtin_ia32_pause();
	return NULL;
}

static void memory(void)
{
	pthread_t threads[64];
	int n = processors() < 4 ? processors() : 4;
	for (int i = 1; i < n; i++)
		if (pthread_create(&threads[i], NULL, spin, (void *)(long)i))
			exit(4);
	while (atomic_load(&running) < n - 1)
		__builtin_ia32_pause();
	char *place = map_pages(64);
	touch(place, 64);
	MEASURE("madvise_1", 500, (madvise(place, page, MADV_DONTNEED)); samples[i] = counter() - start; touch(place, 1); continue);
	MEASURE("mprotect_1", 500, mprotect(place, page, PROT_READ); mprotect(place, page, PROT_READ | PROT_WRITE));
	MEASURE("mprotect_64", 500, mprotect(place, 64 * page, PROT_READ); mprotect(place, 64 * page, PROT_READ | PROT_WRITE));
	MEASURE("map_touch_unmap_1", 500, char *p = map_pages(1); touch(p, 1); munmap(p, page));
	MEASURE("map_touch_unmap_64", 200, char *p = map_pages(64); touch(p, 64); munmap(p, 64 * page));
	atomic_store(&over, 1);
	for (int i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
}

// --- Ping-pong: a reading is there and back.

static int there[2], back[2];

static void *pipe_partner(void *argument)
{
	char c;
	pin((int)(long)argument);
	while (read(there[0], &c, 1) == 1 && c != 'x')
		if (write(back[1], &c, 1) != 1)
			exit(5);
	return NULL;
}

static void pipes(const char *name, int cpu)
{
	pthread_t partner;
	char c = 'a';
	if (pipe(there) || pipe(back) || pthread_create(&partner, NULL, pipe_partner, (void *)(long)cpu))
		exit(6);
	MEASURE(name, 1000, (void)!write(there[1], &c, 1); (void)!read(back[0], &c, 1));
	(void)!write(there[1], "x", 1);
	pthread_join(partner, NULL);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
}

static atomic_int ball;

static void await(int wanted)
{
	int seen;
	while ((seen = atomic_load(&ball)) != wanted && seen >= 0)
		syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void pass(int value)
{
	atomic_store(&ball, value);
	syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_partner(void *argument)
{
	pin((int)(long)argument);
	for (;;) {
		await(1);
		if (atomic_load(&ball) < 0)
			return NULL;
		pass(0);
	}
}

static void futexes(const char *name, int cpu)
{
	pthread_t partner;
	atomic_store(&ball, 0);
	if (pthread_create(&partner, NULL, futex_partner, (void *)(long)cpu))
		exit(7);
	MEASURE(name, 1000, pass(1); await(0));
	pass(-1);
	pthread_join(partner, NULL);
}

// --- Processes and threads

static void *nothing(void *argument) { return argument; }

static void processes(void)
{
	MEASURE("fork", 200, pid_t child = fork(); if (child == 0) _exit(0); waitpid(child, NULL, 0));
	MEASURE("vfork", 500, pid_t child = vfork(); if (child == 0) _exit(0); waitpid(child, NULL, 0));
	MEASURE("thread", 500, pthread_t t; pthread_create(&t, NULL, nothing, NULL); pthread_join(t, NULL));
}

int main(void)
{
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	int console = open("/dev/ttyS0", O_RDWR);
	if (console >= 0 && console < 3)
		for (int i = 0; i < 3; i++)
			dup2(console, i);
	pin(0);
	unsigned long empty = ~0UL;
	for (int i = 0; i < 100; i++) {
		unsigned long start = counter(), spent = counter() - start;
		empty = spent < empty ? spent : empty;
	}
	overhead = empty;
	memory();
	pipes("pipe_cross", 1);
	futexes("futex_cross", 1);
	pipes("pipe_same", 0);
	futexes("futex_same", 0);
	processes();
	reboot(RB_POWER_OFF);
	return 0;
}
