// Memory between processes and files: copy-on-write after fork, shared pages, files seen through mappings.
#include "tap.h"
#include <sys/mman.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE };
static int initialised[4096] = { 1, 2, 3 };
static int zeroes[4096];

static int file(const char *name, size_t length, int fill)
{
	static char block[16 * PAGE];
	int fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
	memset(block, fill, sizeof block);
	EQ(write(fd, block, length), length);
	return fd;
}

TEST(child_does_not_see_the_parents_writes)
{
	char *p = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int go[2];
	char c;
	memset(p, 1, 8 * PAGE);
	OK(pipe(go));
	pid_t child = SPAWN(
		EQ(read(go[0], &c, 1), 1);
		for (int i = 0; i < 8 * PAGE; i += 512)
			EQ(p[i], 1);
		EQ(initialised[0], 1);
		EQ(zeroes[5], 0));
	memset(p, 2, 8 * PAGE);
	initialised[0] = 100;
	zeroes[5] = 100;
	EQ(write(go[1], "x", 1), 1);
	EXITED(tap_wait(child), 0);
	EQ(p[5 * PAGE], 2);
}

TEST(parent_does_not_see_the_childs_writes)
{
	char *p = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 8 * PAGE);
	EXITED(CHILD(memset(p, 2, 8 * PAGE); initialised[1] = 7; zeroes[9] = 7; EQ(p[0], 2)), 0);
	for (int i = 0; i < 8 * PAGE; i += 512)
		EQ(p[i], 1);
	EQ(initialised[1], 2);
	EQ(zeroes[9], 0);
	// When the child is gone the pages are this process's alone again.
	memset(p, 3, 8 * PAGE);
	EQ(p[PAGE], 3);
}

TEST(generations)
{
	// Each of a chain of processes changes its own page and sees its ancestors' work.
	char *p = mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int depth = 0;
	pid_t child = 0;
	do {
		p[depth * PAGE] = depth + 1;
		if (depth == 5)
			break;
		child = fork();
		if (child == 0)
			depth++;
	} while (child == 0);
	for (int i = 0; i < 6; i++)
		EQ(p[i * PAGE], i <= depth ? i + 1 : 0);
	if (depth < 5)
		EXITED(tap_wait(child), 0);
	if (depth > 0)
		_exit(tap_failed ? 1 : 0);
}

TEST(kernel_writes_break_the_sharing_too)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pipefd[2], go[2];
	char c;
	OK(pipe(pipefd));
	OK(pipe(go));
	memset(p, 1, 2 * PAGE);
	pid_t child = SPAWN(EQ(read(go[0], &c, 1), 1); EQ(p[PAGE - 1], 1); EQ(p[PAGE], 1));
	EQ(write(pipefd[1], "ab", 2), 2);
	EQ(read(pipefd[0], p + PAGE - 1, 2), 2);
	EQ(write(go[1], "x", 1), 1);
	EXITED(tap_wait(child), 0);
	EQ(p[PAGE - 1], 'a');
	EQ(p[PAGE], 'b');
	// A call may fill a page nobody touched before.
	char *q = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EQ(write(pipefd[1], "c", 1), 1);
	EQ(read(pipefd[0], q, 1), 1);
	EQ(q[0], 'c');
	EQ(q[1], 0);
}

TEST(shared_anonymous)
{
	volatile char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p[0] = 1;
	EXITED(CHILD(EQ(p[0], 1); p[0] = 2; p[3 * PAGE] = 3;
		     EXITED(CHILD(p[2 * PAGE] = 4), 0); EQ(p[2 * PAGE], 4)), 0);
	EQ(p[0], 2);
	EQ(p[3 * PAGE], 3);
	EQ(p[2 * PAGE], 4);
	// The mapping outlives the other's munmap and protection.
	EXITED(CHILD(munmap((void *)p, 4 * PAGE)), 0);
	EXITED(CHILD(mprotect((void *)p, 4 * PAGE, PROT_NONE)), 0);
	p[0] = 9;
}

TEST(shared_counter_of_many)
{
	int *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = SPAWN(for (int j = 0; j < 5000; j++) __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST));
	for (int i = 0; i < 4; i++)
		EXITED(tap_wait(child[i]), 0);
	EQ(*p, 20000);
}

TEST(file_mapped_private)
{
	NEED(tap_enter());
	int fd = file("file", 2 * PAGE, 'a');
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char c;
	EQ(p[0], 'a');
	p[0] = 'b';
	EQ(pread(fd, &c, 1, 0), 1);
	EQ(c, 'a');
	// A page not yet written shows what the file holds.
	EQ(pwrite(fd, "z", 1, PAGE), 1);
	EQ(p[PAGE], 'z');
	EQ(p[0], 'b');
	char *q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	EQ(q[0], 'a');
}

TEST(file_mapped_shared)
{
	NEED(tap_enter());
	int fd = file("file", 3 * PAGE, 'a');
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0), *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	char c = 0;
	close(fd);
	fd = OK(open("file", O_RDWR));
	p[PAGE + 5] = 'b';
	EQ(q[5], 'b');
	EQ(pread(fd, &c, 1, PAGE + 5), 1);
	EQ(c, 'b');
	EQ(pwrite(fd, "c", 1, PAGE + 6), 1);
	EQ(p[PAGE + 6], 'c');
	EXITED(CHILD(p[0] = 'd'; EQ(q[6], 'c')), 0);
	EQ(p[0], 'd');
	OK(msync(p, 3 * PAGE, MS_SYNC));
	ERR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	ERR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	OK(munmap(p, 3 * PAGE));
	ERR(msync(p, PAGE, MS_SYNC), ENOMEM);
	EQ(pread(fd, &c, 1, 0), 1);
	EQ(c, 'd');
	// What a call writes through the mapping arrives in the file.
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	EQ(pread(fd, p + 100, 10, PAGE), 10);
	EQ(pread(fd, &c, 1, 105), 1);
	EQ(c, 'b');
}

TEST(file_mapping_outlives_the_name)
{
	NEED(tap_enter());
	int fd = file("file", PAGE, 'k');
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	OK(unlink("file"));
	close(fd);
	EQ(p[100], 'k');
	p[100] = 'l';
	EXITED(CHILD(EQ(p[100], 'l')), 0);
}

TEST(end_of_file_in_the_last_page)
{
	NEED(tap_enter());
	int fd = file("file", 5000, 'e');
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), c = 1;
	EQ(p[4999], 'e');
	EQ(p[5000], 0);
	EQ(p[2 * PAGE - 1], 0);
	p[6000] = 'x';
	// What lies behind the end never becomes part of the file.
	EQ(pread(fd, &c, 1, 6000), 0);
	OK(ftruncate(fd, 4100));
	OK(ftruncate(fd, 8000));
	EQ(pread(fd, &c, 1, 4200), 1);
	EQ(c, 0);
	EQ(p[4200], 0);
}

TEST(truncated_pages_are_gone_and_come_back_zero)
{
	NEED(tap_enter());
	int fd = file("file", 4 * PAGE, 't');
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	p[3 * PAGE] = 'u';
	OK(ftruncate(fd, PAGE));
	KILLED(CHILD((void)BYTE(p + 3 * PAGE)), SIGBUS);
	OK(ftruncate(fd, 4 * PAGE));
	EQ(p[3 * PAGE], 0);
	EQ(p[0], 't');
}

TEST(dev_zero_mapped)
{
	int fd = OK(open("/dev/zero", O_RDWR));
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	NEED(p != MAP_FAILED);
	EQ(p[PAGE], 0);
	p[0] = 1;
	char *q = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	EQ(q[0], 0);
}

TEST(shared_memory_file)
{
	int fd = open("/dev/shm/tap-shared", O_RDWR | O_CREAT | O_EXCL, 0600);
	NEED(fd >= 0);
	OK(ftruncate(fd, PAGE));
	volatile char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	EXITED(CHILD(
		int mine = OK(open("/dev/shm/tap-shared", O_RDWR));
		char *q = mmap(NULL, PAGE, RW, MAP_SHARED, mine, 0);
		q[7] = 77), 0);
	EQ(p[7], 77);
	OK(unlink("/dev/shm/tap-shared"));
}

TEST(stack_grows_on_demand)
{
	EXITED(CHILD(
		// Far below what was touched so far, within the default limit.
		char here;
		volatile char *deep = (volatile char *)tap_hide((uintptr_t)&here) - (4 << 20);
		*deep = 1;
		EQ(*deep, 1);
		EQ(*(deep + PAGE), 0)), 0);
	KILLED(CHILD(char here; BYTE((uintptr_t)&here - (512UL << 20)) = 1), SIGSEGV);
}

TEST(fork_of_a_big_process_is_cheap_in_memory)
{
	// Ten children of a process of 32 MiB: were the pages copied, a small machine would run out.
	char *p = mmap(NULL, 32 << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int hold[2];
	for (int i = 0; i < 32 << 20; i += PAGE)
		p[i] = 1;
	OK(pipe(hold));
	pid_t child[10];
	for (int i = 0; i < 10; i++)
		child[i] = SPAWN(char c; close(hold[1]); EQ(read(hold[0], &c, 1), 0); EQ(p[i * PAGE], 1));
	close(hold[1]);
	for (int i = 0; i < 10; i++)
		EXITED(tap_wait(child[i]), 0);
}
