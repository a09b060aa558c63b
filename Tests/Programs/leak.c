// What processes and threads took they give back: free memory before and after many of them.
#include "tap.h"
#include <pthread.h>
#include <sys/mman.h>

// Kibibytes of free memory.
static long free_memory(void)
{
	char text[4096];
	if (tap_read("/proc/meminfo", text, sizeof text) <= 0)
		return -1;
	char *line = strstr(text, "MemFree:");
	return line ? atol(line + 8) : -1;
}

HELPER(nothing)
{
	return 0;
}

static void fork_exec_exit(int times)
{
	for (int i = 0; i < times; i++) {
		pid_t child = fork();
		if (child == 0) {
			execl("/proc/self/exe", "leak", "--nothing", NULL);
			_exit(1);
		}
		if (tap_wait(child) != 0) {
			CHECK(!"a child failed");
			return;
		}
	}
}

static void *touch(void *argument)
{
	volatile char page[8192];
	page[0] = page[8191] = 1;
	return argument;
}

static void threads(int times)
{
	for (int i = 0; i < times; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, touch, NULL) != 0) {
			CHECK(!"pthread_create failed");
			return;
		}
		pthread_join(t, NULL);
	}
}

static void mappings(int times)
{
	for (int i = 0; i < times; i++) {
		char *p = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int j = 0; j < 64; j++)
			p[j * 4096] = 1;
		if (i % 3 == 0)
			munmap(p + 4096, 4096);
		if (i % 3 == 1)
			mprotect(p + 8192, 4096, PROT_READ);
		munmap(p, 64 * 4096);
	}
}

static void killed(int times)
{
	for (int i = 0; i < times; i++) {
		int pipefd[2];
		if (pipe(pipefd) < 0)
			return;
		pid_t child = fork();
		if (child == 0) {
			char *p = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
			memset(p, 1, 1 << 18);
			if (write(pipefd[1], p, 5000) < 0)
				_exit(1);
			raise(SIGKILL);
		}
		close(pipefd[0]);
		close(pipefd[1]);
		tap_wait(child);
	}
}

static void files(int times)
{
	static char block[40000];
	for (int i = 0; i < times; i++) {
		int fd = open("/tmp/tap-leak", O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (write(fd, block, sizeof block) != sizeof block)
			CHECK(!"short write");
		char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		p[0] = 1;
		unlink("/tmp/tap-leak");
		munmap(p, 8192);
		close(fd);
	}
}

static void pipes(int times)
{
	static char block[65536];
	for (int i = 0; i < times; i++) {
		int pipefd[2];
		if (pipe(pipefd) < 0 || write(pipefd[1], block, sizeof block) < 0)
			CHECK(!"pipe");
		close(pipefd[0]);
		close(pipefd[1]);
	}
}

// The free memory may move a little for reasons of the kernel's own (caches that fill up once), but
// what many rounds take must not grow with the rounds: half a page lost in each is too much.
static void steady(void (*body)(int), int times)
{
	body(times / 4 + 1);
	long before = free_memory();
	NEED(before > 0);
	for (int attempt = 0; attempt < 5; attempt++) {
		body(times);
		long lost = before - free_memory();
		if (lost <= times * 2)
			return;
		tap_note("%ld KiB less after %d rounds", lost, times);
		before = free_memory();
	}
	CHECK(!"memory is lost");
}

TEST(fork_exec_exit_gives_back)
{
#ifdef __GLIBC__
	steady(fork_exec_exit, 200);
#else
	steady(fork_exec_exit, 1000);
#endif
}

TEST(threads_give_back)
{
	steady(threads, 300);
}

TEST(mappings_give_back)
{
	steady(mappings, 200);
}

TEST(killed_processes_give_back)
{
	steady(killed, 200);
}

TEST(files_give_back)
{
	steady(files, 300);
}

TEST(pipes_give_back)
{
	steady(pipes, 300);
}
