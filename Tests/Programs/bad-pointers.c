// Wild, misaligned, kernel-range, page-end and read-only pointers to every call in a table: each gives
// EFAULT and the process lives. A call that is not there (ENOSYS) is noted, not counted.
#include "tap.h"
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096, MOST = 160 };

// A call with good arguments; `in` and `out` are the arguments (bit n: argument n) that point to what the
// kernel reads and writes. What they point to takes at least two bytes.
struct call { const char *name; long number, argument[6]; unsigned in, out; };
static struct call table[MOST];
static int entries;
static char *last_page, *read_only;
static char room[65536] __attribute__((aligned(4096)));
static char words[4096] __attribute__((aligned(64)));

static void add(const char *name, long number, unsigned in, unsigned out, long a, long b, long c, long d, long e, long f)
{
	table[entries++] = (struct call){ name, number, { a, b, c, d, e, f }, in, out };
}

#define CALL(name, in, out, a, b, c, d, e, f)                                                       \
	add(#name, SYS_##name, in, out, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static void fill_table(void)
{
	int file = OK(open("file", O_RDWR | O_CREAT, 0600)), directory = OK(open(".", O_RDONLY)), p[2];
	OK(pipe(p));
	EQ(pwrite(file, room, 8192, 0), 8192);
	OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
	long path = (long)strcpy(words, "file"), fresh = (long)strcpy(words + 16, "fresh"), sub = (long)strcpy(words + 32, "sub");
	OK(mkdir("sub", 0700));
	void *r = room;
	CALL(read, 0, 2, file, r, 64, 0, 0, 0);
	CALL(write, 2, 0, p[1], r, 64, 0, 0, 0);
	CALL(pread64, 0, 2, file, r, 64, 0, 0, 0);
	CALL(pwrite64, 2, 0, file, r, 64, 0, 0, 0);
	CALL(readv, 2, 0, file, r, 1, 0, 0, 0);
	CALL(writev, 2, 0, file, r, 1, 0, 0, 0);
	CALL(preadv, 2, 0, file, r, 1, 0, 0, 0);
	CALL(pwritev, 2, 0, file, r, 1, 0, 0, 0);
	CALL(open, 1, 0, path, O_RDONLY, 0, 0, 0, 0);
	CALL(openat, 2, 0, AT_FDCWD, path, O_RDONLY, 0, 0, 0);
	CALL(creat, 1, 0, fresh, 0600, 0, 0, 0, 0);
	CALL(stat, 1, 2, path, r, 0, 0, 0, 0);
	CALL(lstat, 1, 2, path, r, 0, 0, 0, 0);
	CALL(fstat, 0, 2, file, r, 0, 0, 0, 0);
	CALL(newfstatat, 2, 4, AT_FDCWD, path, r, 0, 0, 0);
	CALL(statx, 2, 16, AT_FDCWD, path, 0, 0x7ff, r, 0);
	CALL(statfs, 1, 2, path, r, 0, 0, 0, 0);
	CALL(fstatfs, 0, 2, file, r, 0, 0, 0, 0);
	CALL(access, 1, 0, path, 0, 0, 0, 0, 0);
	CALL(faccessat, 2, 0, AT_FDCWD, path, 0, 0, 0, 0);
	CALL(truncate, 1, 0, path, 8192, 0, 0, 0, 0);
	CALL(chdir, 1, 0, (long)strcpy(words + 48, "."), 0, 0, 0, 0, 0);
	CALL(mkdir, 1, 0, fresh, 0700, 0, 0, 0, 0);
	CALL(mkdirat, 2, 0, AT_FDCWD, fresh, 0700, 0, 0, 0);
	CALL(rmdir, 1, 0, sub, 0, 0, 0, 0, 0);
	CALL(unlink, 1, 0, path, 0, 0, 0, 0, 0);
	CALL(unlinkat, 2, 0, AT_FDCWD, path, 0, 0, 0, 0);
	CALL(rename, 3, 0, path, fresh, 0, 0, 0, 0);
	CALL(renameat, 10, 0, AT_FDCWD, path, AT_FDCWD, fresh, 0, 0);
	CALL(renameat2, 10, 0, AT_FDCWD, path, AT_FDCWD, fresh, 0, 0);
	CALL(link, 3, 0, path, fresh, 0, 0, 0, 0);
	CALL(linkat, 10, 0, AT_FDCWD, path, AT_FDCWD, fresh, 0, 0);
	CALL(symlink, 3, 0, path, fresh, 0, 0, 0, 0);
	CALL(symlinkat, 5, 0, path, AT_FDCWD, fresh, 0, 0, 0);
	CALL(readlink, 1, 2, (long)strcpy(words + 64, "/proc/self/exe"), r, 100, 0, 0, 0);
	CALL(readlinkat, 2, 4, AT_FDCWD, words + 64, r, 100, 0, 0);
	CALL(chmod, 1, 0, path, 0600, 0, 0, 0, 0);
	CALL(fchmodat, 2, 0, AT_FDCWD, path, 0600, 0, 0, 0);
	CALL(chown, 1, 0, path, 0, 0, 0, 0, 0);
	CALL(lchown, 1, 0, path, 0, 0, 0, 0, 0);
	CALL(fchownat, 2, 0, AT_FDCWD, path, 0, 0, 0, 0);
	CALL(mknod, 1, 0, fresh, S_IFIFO | 0600, 0, 0, 0, 0);
	CALL(mknodat, 2, 0, AT_FDCWD, fresh, S_IFIFO | 0600, 0, 0, 0);
	CALL(utime, 3, 0, path, r, 0, 0, 0, 0);
	CALL(utimes, 3, 0, path, r, 0, 0, 0, 0);
	CALL(utimensat, 6, 0, AT_FDCWD, path, r, 0, 0, 0);
	CALL(getdents64, 0, 2, directory, r, 4096, 0, 0, 0);
	CALL(getcwd, 0, 1, r, 4096, 0, 0, 0, 0);
	CALL(pipe, 0, 1, r, 0, 0, 0, 0, 0);
	CALL(pipe2, 0, 1, r, 0, 0, 0, 0, 0);
	CALL(sendfile, 4, 4, p[1], file, r, 8, 0, 0);
	CALL(poll, 1, 1, r, 1, 0, 0, 0, 0);
	CALL(ppoll, 5, 1, r, 1, r + 1024, 0, 8, 0);
	CALL(select, 30, 14, 20, r, r + 128, r + 256, r + 1024, 0);
	CALL(pselect6, 62, 14, 20, r, r + 128, r + 256, r + 1024, r + 2048);
	CALL(fcntl, 4, 0, file, F_GETLK, r, 0, 0, 0);
	CALL(rt_sigaction, 2, 4, SIGUSR1, r + 512, r, 8, 0, 0);
	CALL(rt_sigprocmask, 2, 4, SIG_BLOCK, r + 512, r, 8, 0, 0);
	CALL(rt_sigpending, 0, 1, r, 8, 0, 0, 0, 0);
	CALL(rt_sigtimedwait, 5, 0, words + 128, r, r + 1024, 8, 0, 0);
	CALL(rt_sigsuspend, 1, 0, r, 8, 0, 0, 0, 0);
	CALL(rt_sigqueueinfo, 4, 0, getpid(), SIGCHLD, r, 0, 0, 0);
	((int *)(words + 256))[2] = 2; // SS_DISABLE
	CALL(sigaltstack, 1, 2, words + 256, r + 64, 0, 0, 0, 0);
	CALL(nanosleep, 1, 0, r, 0, 0, 0, 0, 0);
	CALL(clock_nanosleep, 4, 0, CLOCK_MONOTONIC, 0, r, 0, 0, 0);
	CALL(clock_gettime, 0, 2, CLOCK_MONOTONIC, r, 0, 0, 0, 0);
	CALL(clock_getres, 0, 2, CLOCK_MONOTONIC, r, 0, 0, 0, 0);
	CALL(gettimeofday, 0, 3, r, r + 64, 0, 0, 0, 0);
	CALL(time, 0, 1, r, 0, 0, 0, 0, 0);
	CALL(times, 0, 1, r, 0, 0, 0, 0, 0);
	CALL(getitimer, 0, 2, 0, r, 0, 0, 0, 0);
	CALL(setitimer, 2, 4, 0, r, r + 64, 0, 0, 0);
	CALL(getrlimit, 0, 2, RLIMIT_CORE, r, 0, 0, 0, 0);
	CALL(setrlimit, 2, 0, RLIMIT_CORE, r, 0, 0, 0, 0);
	CALL(prlimit64, 4, 8, 0, RLIMIT_CORE, r, r + 64, 0, 0);
	CALL(getrusage, 0, 2, 0, r, 0, 0, 0, 0);
	CALL(sysinfo, 0, 1, r, 0, 0, 0, 0, 0);
	CALL(uname, 0, 1, r, 0, 0, 0, 0, 0);
	CALL(sethostname, 1, 0, r, 8, 0, 0, 0, 0);
	CALL(setgroups, 2, 0, 4, r, 0, 0, 0, 0);
	CALL(getresuid, 0, 7, r, r + 64, r + 128, 0, 0, 0);
	CALL(getresgid, 0, 7, r, r + 64, r + 128, 0, 0, 0);
	CALL(sched_getparam, 0, 2, 0, r, 0, 0, 0, 0);
	CALL(sched_setparam, 2, 0, 0, r, 0, 0, 0, 0);
	CALL(sched_setscheduler, 4, 0, 0, 0, r, 0, 0, 0);
	CALL(sched_rr_get_interval, 0, 2, 0, r, 0, 0, 0, 0);
	CALL(sched_getaffinity, 0, 4, 0, 128, r, 0, 0, 0);
	CALL(sched_setaffinity, 4, 0, 0, 128, r, 0, 0, 0);
	CALL(getcpu, 0, 3, r, r + 64, 0, 0, 0, 0);
	CALL(getrandom, 0, 1, r, 64, 0, 0, 0, 0);
	CALL(futex, 1, 0, r, 0, 12345, 0, 0, 0);
	CALL(mincore, 0, 4, room, PAGE, r, 0, 0, 0);
	CALL(prctl, 2, 0, 15, r, 0, 0, 0, 0);
	CALL(prctl, 0, 2, 16, r, 0, 0, 0, 0);
	CALL(arch_prctl, 0, 2, 0x1003, r, 0, 0, 0, 0);
	CALL(syslog, 0, 2, 3, r, 4000, 0, 0, 0);
	CALL(umount2, 1, 0, sub, 0, 0, 0, 0, 0);
	CALL(mount, 6, 0, words, sub, (long)strcpy(words + 200, "tmpfs"), 0, 0, 0);
	CALL(chroot, 1, 0, words + 48, 0, 0, 0, 0, 0);
	CALL(execve, 1, 0, words + 64, 0, 0, 0, 0, 0);
	CALL(ioctl, 0, 4, file, 0x541b, r, 0, 0, 0);
	CALL(ioctl, 0, 4, p[0], 0x541b, r, 0, 0, 0);
}

static long do_call(const struct call *c, const long a[6])
{
	return syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void try(const struct call *c, int at, uintptr_t pointer, const char *kind)
{
	long a[6];
	memcpy(a, c->argument, sizeof a);
	memset(room, 0, 4096);
	// A call before may have written the one byte that is there.
	last_page[PAGE - 1] = 'n';
	a[at] = pointer;
	errno = 0;
	long result = do_call(c, a);
	if (result == -1 && errno == EFAULT)
		return;
	// A word must be aligned before it is looked at; a name may end before its second byte is.
	if (result == -1 && errno == EINVAL && c->number == SYS_futex && pointer % 4)
		return;
	if (result == -1 && errno == ENOENT && pointer == (uintptr_t)last_page + PAGE - 1)
		return;
	if (result == -1 && errno == ENOSYS) {
		if (at == 0 || !(((c->in | c->out) & ((1u << at) - 1))))
			if (pointer == 8)
				tap_note("%s is not there", c->name);
		return;
	}
	tap_note("%s, argument %d %s (%#lx): %s", c->name, at, kind, pointer, result == -1 ? tap_errno(errno) : "no error");
	tap_fail();
}

static void prepare(void)
{
	NEED(tap_enter());
	fill_table();
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(munmap(p + 2 * PAGE, PAGE));
	last_page = p + PAGE;
	memset(p, 'n', 2 * PAGE);
	read_only = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void every(unsigned (*which)(const struct call *), const uintptr_t *pointers, int count, const char *kind)
{
	prepare();
	for (int i = 0; i < entries; i++)
		for (int at = 0; at < 6; at++)
			if (which(&table[i]) & 1u << at)
				for (int k = 0; k < count; k++)
					try(&table[i], at, pointers[k], kind);
}

static unsigned both(const struct call *c) { return c->in | c->out; }
static unsigned written(const struct call *c) { return c->out; }

TEST(wild)
{
	static const uintptr_t p[] = { 8, 0xffe, 0x10001, 0x100000000000, 0x3ffffffff001 };
	every(both, p, 5, "wild");
}

TEST(kernel_range)
{
	static const uintptr_t p[] = { 0xffff800000000000, 0xffffffff81000000, 0xfffffffffffffff8, 0xffffffffffffffff };
	every(both, p, 4, "in the kernel's range");
}

TEST(behind_the_user_range)
{
	static const uintptr_t p[] = { 0x400000000000, 0x400000100000, 0x480000000000, 0x600000000000, 0x7ffffffff000,
		0x7fffffffffff };
	every(both, p, 6, "behind the user's range");
}

TEST(not_canonical)
{
	static const uintptr_t p[] = { 0x0100000000000000, 0x1234567812345678, 0x8000000000000000, 0x7fffffffffffffff };
	every(both, p, 4, "not canonical");
}

TEST(read_only_memory)
{
	prepare();
	for (int i = 0; i < entries; i++)
		for (int at = 0; at < 6; at++)
			if (written(&table[i]) & 1u << at && !(table[i].in & 1u << at))
				try(&table[i], at, (uintptr_t)read_only, "read-only");
}

TEST(across_the_end_of_a_page)
{
	// One good byte, then nothing: too little for whatever it is. A transfer of bytes may be partial.
	static const char *const partial[] = { "read", "write", "pread64", "pwrite64", "getrandom", "sendfile", "syslog", "readlink",
		"readlinkat", "sethostname", "mincore" };
	prepare();
	for (int i = 0; i < entries; i++) {
		bool skip = false;
		for (unsigned k = 0; k < sizeof partial / sizeof *partial; k++)
			skip |= strcmp(table[i].name, partial[k]) == 0;
		for (int at = 0; !skip && at < 6; at++)
			if (both(&table[i]) & 1u << at)
				try(&table[i], at, (uintptr_t)last_page + PAGE - 1, "at the end of a page");
	}
}

TEST(vectors_of_bad_pointers)
{
	struct { void *base; size_t length; } v[2] = { { (void *)8, 10 }, { room, 10 } };
	int p[2], file = OK(open("/proc/self/exe", O_RDONLY));
	OK(pipe(p));
	ERR(syscall(SYS_writev, p[1], v, 2L), EFAULT);
	ERR(syscall(SYS_readv, file, v, 2L), EFAULT);
	v[0].base = (void *)0xffff800000000000;
	ERR(syscall(SYS_writev, p[1], v, 2L), EFAULT);
	v[0].base = room;
	v[1].base = (void *)0x400000000000;
	// The first part may go through.
	long n = syscall(SYS_writev, p[1], v, 2L);
	CHECK(n == 10 || (n == -1 && errno == EFAULT));
	n = syscall(SYS_readv, file, v, 2L);
	CHECK(n == 10 || (n == -1 && errno == EFAULT));
}

TEST(lengths_that_wrap)
{
	int p[2], zero = OK(open("/dev/zero", O_RDONLY)), null = OK(open("/dev/null", O_WRONLY));
	OK(pipe(p));
	ERR(syscall(SYS_write, p[1], 8L, -1L), EFAULT);
	ERR(syscall(SYS_read, zero, room, -1L), EFAULT);
	ERR(syscall(SYS_read, zero, 0xfffffffffffff000, 0x2000L), EFAULT);
	ERR(syscall(SYS_write, null, room, -1L), EFAULT);
	ERR(syscall(SYS_getcwd, room, 0L), ERANGE);
	ERR(syscall(SYS_poll, room, 0x7fffffffL, 0L), EINVAL);
	ERR(syscall(SYS_getgroups, -1L, room), EINVAL);
	ERR(syscall(SYS_setgroups, -1L, room), EINVAL);
	ERR(syscall(SYS_setgroups, 100000L, room), EINVAL);
	EQ(syscall(SYS_write, null, room, 4096L), 4096);
}
