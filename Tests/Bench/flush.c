// An init of `./apus bench crosscpu`: where forgetting pages one by one costs as much as forgetting all at once. Once without and
// once with each other, in time-stamp counter cycles: the right to write n pages is taken away, then pages that were in use before
// are touched. Everything but the way of forgetting is the same for both. Prints `bench: one_by_one_N ...` and
// `bench: all_at_once_N ...`, minimum, median, 99th percentile, and powers off.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

enum { rounds = 300, page = 4096, used = 128, most = 256 };
static unsigned long samples[2][rounds];

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

static void set_limit(int file, int pages)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%d", pages);
	if (pwrite(file, text, length, 0) != length)
		exit(2);
}

static char *map_pages(int count)
{
	char *place = mmap(NULL, (size_t)count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED)
		exit(3);
	for (int i = 0; i < count; i++)
		place[(size_t)i * page] = 1;
	return place;
}

// One reading: both the call and what the pages in use cost afterwards.
static unsigned long measure(char *changed, int count, volatile char *others)
{
	unsigned long start = counter();
	mprotect(changed, (size_t)count * page, PROT_READ);
	for (int i = 0; i < used; i++)
		(void)others[(size_t)i * page];
	unsigned long spent = counter() - start;
	mprotect(changed, (size_t)count * page, PROT_READ | PROT_WRITE);
	for (int i = 0; i < count; i++)
		changed[(size_t)i * page] = 1;
	for (int i = 0; i < used; i++)
		(void)others[(size_t)i * page];
	return spent;
}

static void report(const char *name, int count, unsigned long *values)
{
	qsort(values, rounds, sizeof values[0], compare);
	printf("bench: %s_%d %lu %lu %lu\n", name, count, values[0], values[rounds / 2], values[rounds * 99 / 100]);
}

int main(void)
{
	mkdir("/dev", 0755);
	mkdir("/sys", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	int console = open("/dev/ttyS0", O_RDWR);
	if (console >= 0 && console < 3)
		for (int i = 0; i < 3; i++)
			dup2(console, i);
	int file = open("/sys/kernel/debug/x86/tlb_single_page_flush_ceiling", O_RDWR);
	if (file < 0)
		return 1;
	char *changed = map_pages(most), *others = map_pages(used);
	for (int count = 1; count <= most; count *= 2) {
		// Taken in turns, so that what the host does meanwhile falls on both.
		for (int i = 0; i < rounds; i++)
			for (int all = 0; all < 2; all++) {
				set_limit(file, all ? 0 : most);
				samples[all][i] = measure(changed, count, others);
			}
		report("one_by_one", count, samples[0]);
		report("all_at_once", count, samples[1]);
	}
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
