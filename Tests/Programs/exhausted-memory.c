// apus: musl-only
// Programs that take all the memory there is, in each of its forms: they are refused or killed, and whoever
// is not to blame lives on. Only for a machine that does no other work.
#include "tap.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static long free_memory(void)
{
	static char text[8192];
	tap_read("/proc/meminfo", text, sizeof text);
	char *line = strstr(text, "MemAvailable:");
	return line ? atol(line + 13) : -1;
}

static void eat(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 1);
		for (int i = 0; i < 1 << 20; i += 4096)
			p[i] = i;
	}
}

// The process was refused (exit status 0) or killed as the one to blame.
static void refused_or_killed(int status)
{
	CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	if (tap_failed)
		tap_note("%s", tap_describe(status));
}

static void memory_is_back(long before)
{
	long now = 0;
	for (int i = 0; i < 200; i++) {
		now = free_memory();
		if (now > before - 4096)
			return;
		tap_pause(10);
	}
	tap_note("%ld KiB were available, now %ld", before, now);
	tap_fail();
}

TEST(memory_eaten_by_one)
{
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	long before = free_memory();
	refused_or_killed(CHILD(eat()));
	tap_all_is_well();
	memory_is_back(before);
}

TEST(memory_eaten_by_many)
{
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	long before = free_memory();
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = SPAWN(eat());
	for (int i = 0; i < 4; i++)
		refused_or_killed(tap_wait(child[i]));
	tap_all_is_well();
	memory_is_back(before);
}

TEST(memory_eaten_through_the_break)
{
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	long before = free_memory();
	refused_or_killed(CHILD(
		for (uintptr_t at = syscall(SYS_brk, 0);; at += 1 << 20) {
			if ((uintptr_t)syscall(SYS_brk, at + (1 << 20)) != at + (1 << 20))
				_exit(0);
			memset((char *)at, 1, 1 << 20);
		}));
	memory_is_back(before);
}

TEST(memory_eaten_by_copies)
{
	// Copy-on-write promises more than there is; the promise is called in.
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	long before = free_memory();
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	int status = CHILD(
		long size = before / 3 * 1024;
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(0);
		for (long i = 0; i < size; i += 4096)
			p[i] = 1;
		for (int i = 0; i < 4; i++)
			if (fork() == 0)
				break;
		for (long i = 0; i < size; i += 4096)
			p[i] = 2;
		_exit(0));
	refused_or_killed(status);
	while (waitpid(-1, NULL, 0) > 0) {}
	tap_all_is_well();
	memory_is_back(before);
}

TEST(memory_eaten_by_full_pipes)
{
	// The kernel's memory on a program's behalf: many pipes, all full.
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	long before = free_memory();
	pid_t child[6];
	for (int i = 0; i < 6; i++)
		child[i] = SPAWN(
			static char block[65536];
			struct rlimit limit = { 2048, 2048 };
			int p[2];
			setrlimit(RLIMIT_NOFILE, &limit);
			while (pipe2(p, O_NONBLOCK) == 0)
				if (write(p[1], block, sizeof block) < 0)
					break);
	for (int i = 0; i < 6; i++)
		refused_or_killed(tap_wait(child[i]));
	tap_all_is_well();
	memory_is_back(before);
}

TEST(memory_eaten_by_a_file)
{
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	NEED(tap_enter());
	long before = free_memory();
	int status = CHILD(
		static char block[1 << 20];
		int fd = open("file", O_WRONLY | O_CREAT, 0600);
		for (;;) {
			memset(block, 1, sizeof block);
			ssize_t n = write(fd, block, sizeof block);
			if (n < 0)
				_exit(errno == ENOSPC || errno == ENOMEM || errno == EFBIG ? 0 : 1);
		});
	refused_or_killed(status);
	OK(unlink("file"));
	tap_all_is_well();
	memory_is_back(before);
}

TEST(memory_eaten_by_names)
{
	// Empty files and directories are memory too.
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	NEED(tap_enter());
	EXITED(CHILD(
		char name[256];
		memset(name, 'n', 255);
		name[255] = 0;
		for (int i = 0; i < 3000; i++) {
			snprintf(name + 240, 16, "%d", i);
			int fd = open(name, O_WRONLY | O_CREAT, 0600);
			if (fd < 0)
				_exit(errno == ENOSPC || errno == ENOMEM ? 0 : 1);
			close(fd);
		}), 0);
	tap_all_is_well();
}

TEST(stack_without_end)
{
	if (!tap_expendable())
		SKIP("not on a machine that does other work");
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	long before = free_memory();
	OK(setrlimit(RLIMIT_STACK, &limit));
	pid_t child = SPAWN(char here; for (uintptr_t p = (uintptr_t)&here;; p -= 4096) BYTE(p) = 1);
	int status = tap_wait(child);
	CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV));
	tap_all_is_well();
	memory_is_back(before);
}
