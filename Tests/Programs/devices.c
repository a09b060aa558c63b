// The devices every program knows: null, zero, full, random, urandom, tty, console; the kernel's messages.
#include "tap.h"
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/sysmacros.h>

static char buffer[10000];

TEST(numbers_and_modes)
{
	static const struct { const char *name; int major, minor; mode_t mode; } nodes[] = {
		{ "/dev/null", 1, 3, 0666 }, { "/dev/zero", 1, 5, 0666 }, { "/dev/full", 1, 7, 0666 },
		{ "/dev/random", 1, 8, 0666 }, { "/dev/urandom", 1, 9, 0666 }, { "/dev/tty", 5, 0, 0666 },
		{ "/dev/console", 5, 1, 0600 },
	};
	for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		struct stat st;
		OK(stat(nodes[i].name, &st));
		CHECK(S_ISCHR(st.st_mode));
		EQ(st.st_rdev, makedev(nodes[i].major, nodes[i].minor));
		EQ(st.st_mode & 0600, 0600);
		if (nodes[i].mode == 0666)
			EQ(st.st_mode & 0777, 0666);
	}
}

TEST(null)
{
	int fd = OK(open("/dev/null", O_RDWR));
	EQ(read(fd, buffer, 100), 0);
	EQ(write(fd, buffer, sizeof buffer), sizeof buffer);
	EQ(lseek(fd, 1000, SEEK_SET), 0);
	EQ(read(fd, buffer, 1), 0);
	OK(open("/dev/null", O_WRONLY | O_TRUNC | O_APPEND | O_CREAT, 0600));
	ERR(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

TEST(zero)
{
	int fd = OK(open("/dev/zero", O_RDWR));
	memset(buffer, 1, sizeof buffer);
	EQ(read(fd, buffer, sizeof buffer), sizeof buffer);
	for (unsigned i = 0; i < sizeof buffer; i++)
		if (buffer[i])
			CHECK(!"not zero");
	EQ(write(fd, buffer, 100), 100);
	ERR(read(fd, (void *)tap_hide(8), 100), EFAULT);
}

TEST(full)
{
	int fd = OK(open("/dev/full", O_RDWR));
	ERR(write(fd, "x", 1), ENOSPC);
	buffer[0] = 1;
	EQ(read(fd, buffer, 10), 10);
	EQ(buffer[0], 0);
}

static bool looks_random(const unsigned char *p, size_t n)
{
	int seen[256] = { 0 }, kinds = 0;
	for (size_t i = 0; i < n; i++)
		kinds += seen[p[i]]++ == 0;
	return kinds > 150;
}

TEST(random_bytes)
{
	static const char *const names[] = { "/dev/random", "/dev/urandom" };
	static unsigned char a[1024], b[1024];
	for (int i = 0; i < 2; i++) {
		int fd = OK(open(names[i], O_RDWR));
		memset(a, 0, sizeof a);
		memset(b, 0, sizeof b);
		EQ(read(fd, a, sizeof a), sizeof a);
		EQ(read(fd, b, sizeof b), sizeof b);
		CHECK(looks_random(a, sizeof a) && memcmp(a, b, sizeof a) != 0);
		EQ(write(fd, "seed", 4), 4);
		ERR(read(fd, (void *)tap_hide(8), 10), EFAULT);
	}
	memset(a, 0, sizeof a);
	EQ(getrandom(a, sizeof a, 0), sizeof a);
	CHECK(looks_random(a, sizeof a));
	EQ(getrandom(a, 16, GRND_NONBLOCK), 16);
	EQ(getrandom(a, 0, 0), 0);
	ERR(syscall(SYS_getrandom, a, 16L, 0xff00), EINVAL);
	ERR(syscall(SYS_getrandom, 8L, 16L, 0), EFAULT);
	// A child's bytes are its own.
	int p[2];
	OK(pipe(p));
	EXITED(CHILD(EQ(getrandom(b, 64, 0), 64); EQ(write(p[1], b, 64), 64)), 0);
	EQ(read(p[0], b, 64), 64);
	EQ(getrandom(a, 64, 0), 64);
	CHECK(memcmp(a, b, 64) != 0);
}

TEST(no_terminal_no_tty)
{
	EXITED(CHILD(pid_t c = fork(); if (c) { int s; waitpid(c, &s, 0); _exit(WEXITSTATUS(s)); }
		     OK(setsid()); ERR(open("/dev/tty", O_RDWR), ENXIO)), 0);
}

TEST(listing)
{
	int found = 0;
	DIR *d = opendir("/dev");
	NEED(d);
	for (struct dirent *e; (e = readdir(d));)
		found += strcmp(e->d_name, "null") == 0 || strcmp(e->d_name, "zero") == 0 || strcmp(e->d_name, "console") == 0;
	closedir(d);
	EQ(found, 3);
	struct stat st;
	OK(stat("/dev/shm", &st));
	CHECK(S_ISDIR(st.st_mode));
	OK(stat("/tmp", &st));
	CHECK(S_ISDIR(st.st_mode));
}

TEST(kernel_messages)
{
	static char text[1 << 18];
	long size = OK(syscall(SYS_syslog, 10L, NULL, 0L));
	CHECK(size >= 4096);
	long n = OK(syscall(SYS_syslog, 3L, text, (long)sizeof text - 1));
	CHECK(n > 100);
	CHECK(text[0] == '<' || strchr(text, '\n') != NULL);
	ERR(syscall(SYS_syslog, 99L, text, 10L), EINVAL);
	ERR(syscall(SYS_syslog, 3L, NULL, 10L), EINVAL);
	ERR(syscall(SYS_syslog, 3L, text, -1L), EINVAL);
	ERR(syscall(SYS_syslog, 3L, 8L, 4000L), EFAULT);
}

TEST(unknown_requests)
{
	static const char *const names[] = { "/dev/null", "/dev/zero", "/dev/full", "/proc/version", "/tmp" };
	for (int i = 0; i < 5; i++) {
		int fd = OK(open(names[i], O_RDONLY));
		ERR(ioctl(fd, 0xdeadbeef, 8L), ENOTTY);
		ERR(ioctl(fd, TIOCGWINSZ, buffer), ENOTTY);
		OK(ioctl(fd, FIOCLEX, 0));
		EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		OK(ioctl(fd, FIONCLEX, 0));
		EQ(fcntl(fd, F_GETFD), 0);
		close(fd);
	}
}
