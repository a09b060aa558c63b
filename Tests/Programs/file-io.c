// Descriptors and what goes through them: flags of open, offsets, vectors, lengths, copies of descriptors.
#include "tap.h"
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static char buffer[70000];

static int make(const char *name, const char *text)
{
	int fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	EQ(write(fd, text, strlen(text)), strlen(text));
	EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static off_t size_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 ? -1 : st.st_size;
}

TEST(open_flags)
{
	NEED(tap_enter());
	ERR(open("none", O_RDWR), ENOENT);
	int fd = OK(open("file", O_RDWR | O_CREAT | O_EXCL, 0600));
	ERR(open("file", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	EQ(write(fd, "12345", 5), 5);
	int again = OK(open("file", O_RDONLY | O_TRUNC));
	EQ(size_of(fd), 0);
	ERR(write(again, "x", 1), EBADF);
	int out = OK(open("file", O_WRONLY));
	ERR(read(out, buffer, 1), EBADF);
	ERR(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	ERR(open(".", O_RDWR), EISDIR);
	ERR(open(".", O_WRONLY), EISDIR);
	ERR(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
	ERR(open("file/", O_RDONLY), ENOTDIR);
	ERR(open("file/x", O_RDONLY), ENOTDIR);
	ERR(open("none/x", O_RDWR | O_CREAT, 0600), ENOENT);
	ERR(open("", O_RDONLY), ENOENT);
	OK(symlink("file", "link"));
	ERR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	ERR(open("link", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	OK(symlink("target", "dangling"));
	ERR(open("dangling", O_RDONLY), ENOENT);
	OK(open("dangling", O_RDWR | O_CREAT, 0600));
	OK(access("target", F_OK));
	EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR);
	EQ(fcntl(OK(open("file", O_RDONLY | O_CLOEXEC)), F_GETFD), FD_CLOEXEC);
}

TEST(path_only_descriptors)
{
	NEED(tap_enter());
	make("file", "x");
	int fd = OK(open("file", O_PATH)), dir = OK(open(".", O_PATH | O_DIRECTORY));
	struct stat st;
	ERR(read(fd, buffer, 1), EBADF);
	ERR(write(fd, buffer, 1), EBADF);
	ERR(syscall(SYS_fchmod, fd, 0600), EBADF);
	OK(fstat(fd, &st));
	EQ(st.st_size, 1);
	OK(openat(dir, "file", O_RDONLY));
	ERR(openat(fd, "file", O_RDONLY), ENOTDIR);
	ERR(openat(-5, "file", O_RDONLY), EBADF);
	OK(openat(-5, "/proc", O_RDONLY));
}

TEST(append)
{
	NEED(tap_enter());
	make("file", "start");
	int fd = OK(open("file", O_WRONLY | O_APPEND)), other = OK(open("file", O_RDWR));
	EQ(lseek(fd, 0, SEEK_SET), 0);
	EQ(write(fd, "A", 1), 1);
	EQ(lseek(fd, 0, SEEK_CUR), 6);
	EQ(write(other, "B", 1), 1);
	EQ(write(fd, "C", 1), 1);
	memset(buffer, 0, 10);
	EQ(pread(other, buffer, 10, 0), 7);
	STREQ(buffer, "BtartAC");
	OK(fcntl(other, F_SETFL, O_APPEND));
	EQ(write(other, "D", 1), 1);
	EQ(size_of(fd), 8);
}

TEST(appends_of_many_processes_all_arrive)
{
	NEED(tap_enter());
	pid_t child[5];
	close(make("file", ""));
	for (int i = 0; i < 5; i++)
		child[i] = SPAWN(int fd = OK(open("file", O_WRONLY | O_APPEND));
				 for (int j = 0; j < 100; j++) EQ(write(fd, &"abcde"[i], 1), 1));
	for (int i = 0; i < 5; i++)
		EXITED(tap_wait(child[i]), 0);
	int fd = OK(open("file", O_RDONLY)), seen[5] = { 0 };
	EQ(read(fd, buffer, sizeof buffer), 500);
	for (int i = 0; i < 500; i++)
		seen[(buffer[i] - 'a') % 5]++;
	for (int i = 0; i < 5; i++)
		EQ(seen[i], 100);
}

TEST(seek)
{
	NEED(tap_enter());
	int fd = make("file", "0123456789");
	EQ(lseek(fd, 3, SEEK_SET), 3);
	EQ(lseek(fd, 2, SEEK_CUR), 5);
	EQ(lseek(fd, -1, SEEK_END), 9);
	EQ(read(fd, buffer, 5), 1);
	EQ(buffer[0], '9');
	EQ(read(fd, buffer, 5), 0);
	ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	ERR(lseek(fd, -11, SEEK_END), EINVAL);
	ERR(lseek(fd, 0, 99), EINVAL);
	ERR(lseek(fd, LLONG_MAX, SEEK_CUR), EINVAL);
	EQ(lseek(fd, 0, SEEK_CUR), 10);
	ERR(lseek(999, 0, SEEK_SET), EBADF);
	// Behind the end: reading gives nothing, writing leaves a hole of zeros.
	EQ(lseek(fd, 100000, SEEK_SET), 100000);
	EQ(read(fd, buffer, 5), 0);
	EQ(write(fd, "end", 3), 3);
	EQ(size_of(fd), 100003);
	EQ(pread(fd, buffer, 100, 50000), 100);
	EQ(buffer[0] | buffer[99], 0);
	EQ(pread(fd, buffer, 20, 0), 20);
	EQ(memcmp(buffer, "0123456789\0\0", 12), 0);
}

TEST(holes_cost_nothing)
{
	NEED(tap_enter());
	struct stat st;
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, 1LL << 34));
	EQ(pwrite(fd, "x", 1, 5LL << 30), 1);
	OK(fstat(fd, &st));
	EQ(st.st_size, 1LL << 34);
	CHECK(st.st_blocks < 2048);
	EQ(pread(fd, buffer, 2, (5LL << 30) - 1), 2);
	EQ(buffer[0], 0);
	EQ(buffer[1], 'x');
	off_t data = lseek(fd, 0, SEEK_DATA);
	CHECK((data == -1 && errno == EINVAL) || data == 5LL << 30 || data == 0);
	OK(ftruncate(fd, 0));
}

TEST(positioned)
{
	NEED(tap_enter());
	int fd = make("file", "abcdef");
	EQ(pread(fd, buffer, 2, 2), 2);
	EQ(memcmp(buffer, "cd", 2), 0);
	EQ(pwrite(fd, "XY", 2, 4), 2);
	EQ(lseek(fd, 0, SEEK_CUR), 0);
	EQ(pread(fd, buffer, 10, 6), 0);
	ERR(pread(fd, buffer, 1, -1), EINVAL);
	ERR(pwrite(fd, buffer, 1, -1), EINVAL);
	struct iovec in[2] = { { buffer, 3 }, { buffer + 10, 3 } };
	EQ(readv(fd, in, 2), 6);
	EQ(memcmp(buffer, "abc", 3), 0);
	EQ(memcmp(buffer + 10, "dXY", 3), 0);
	struct iovec out[2] = { { "12", 2 }, { "345", 3 } };
	EQ(preadv(fd, in, 1, 3), 3);
	EQ(memcmp(buffer, "dXY", 3), 0);
	EQ(pwritev(fd, out, 2, 1), 5);
	EQ(pread(fd, buffer, 6, 0), 6);
	EQ(memcmp(buffer, "a12345", 6), 0);
}

TEST(lengths)
{
	NEED(tap_enter());
	int fd = make("file", "0123456789"), readable = OK(open("file", O_RDONLY));
	OK(ftruncate(fd, 4));
	EQ(pread(fd, buffer, 10, 0), 4);
	OK(truncate("file", 8));
	EQ(pread(fd, buffer, 10, 0), 8);
	EQ(memcmp(buffer, "0123\0\0\0\0", 8), 0);
	ERR(ftruncate(fd, -1), EINVAL);
	ERR(truncate("file", -1), EINVAL);
	ERR(ftruncate(readable, 1), EINVAL);
	ERR(truncate("none", 1), ENOENT);
	ERR(truncate(".", 1), EISDIR);
	int r = ftruncate(fd, LLONG_MAX);
	CHECK(r == 0 || errno == EFBIG);
	OK(ftruncate(fd, 8));
	static char big[100000];
	memset(big, 'b', sizeof big);
	EQ(pwrite(fd, big, sizeof big, 0), sizeof big);
	OK(ftruncate(fd, 50001));
	OK(ftruncate(fd, 100000));
	EQ(pread(fd, buffer, 2, 50000), 2);
	EQ(buffer[0], 'b');
	EQ(buffer[1], 0);
	ERR(write(fd, (void *)tap_hide(8), 5), EFAULT);
	// Zero bytes are nothing, also from nowhere.
	EQ(write(fd, buffer, 0), 0);
	EQ(read(fd, buffer, 0), 0);
}

TEST(partly_bad_buffers)
{
	NEED(tap_enter());
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(munmap(p + 4096, 4096));
	memset(p, 'p', 4096);
	// The good part is written, or nothing is; never more.
	ssize_t n = write(fd, p + 4086, 20);
	CHECK(n == 10 || (n == -1 && errno == EFAULT));
	EQ(size_of(fd), n > 0 ? n : 0);
	OK(ftruncate(fd, 100));
	n = pread(fd, p + 4086, 20, 0);
	CHECK(n == 10 || (n == -1 && errno == EFAULT));
}

TEST(copies_of_descriptors)
{
	NEED(tap_enter());
	int fd = make("file", "0123456789");
	int copy = OK(dup(fd));
	EQ(read(copy, buffer, 3), 3);
	EQ(lseek(fd, 0, SEEK_CUR), 3);
	EQ(dup2(fd, 50), 50);
	EQ(dup2(fd, fd), fd);
	EQ(dup2(copy, 50), 50);
	ERR(dup2(999, 51), EBADF);
	ERR(dup2(999, 999), EBADF);
	ERR(dup2(fd, -1), EBADF);
	ERR(dup(999), EBADF);
	ERR(syscall(SYS_dup3, fd, fd, 0), EINVAL);
	ERR(syscall(SYS_dup3, fd, 52, 1), EINVAL);
	EQ(dup3(fd, 52, O_CLOEXEC), 52);
	EQ(fcntl(52, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(50, F_GETFD), 0);
	EQ(fcntl(fd, F_DUPFD, 50), 51);
	EQ(fcntl(fd, F_DUPFD_CLOEXEC, 50), 53);
	EQ(fcntl(53, F_GETFD), FD_CLOEXEC);
	ERR(fcntl(fd, F_DUPFD, -1), EINVAL);
	ERR(fcntl(fd, 9999), EINVAL);
	ERR(fcntl(999, F_GETFD), EBADF);
	OK(fcntl(50, F_SETFD, FD_CLOEXEC));
	EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
	EQ(close(51), 0);
	ERR(close(51), EBADF);
	// The lowest free number is taken.
	int a = OK(dup(fd)), b = OK(dup(fd));
	close(a);
	EQ(dup(fd), a);
	close(b);
	// After fork the offset is still one.
	EXITED(CHILD(EQ(lseek(fd, 7, SEEK_SET), 7)), 0);
	EQ(lseek(copy, 0, SEEK_CUR), 7);
}

TEST(limit_of_descriptors)
{
	struct rlimit limit = { 30, 30 };
	EXITED(CHILD(
		OK(setrlimit(RLIMIT_NOFILE, &limit));
		int last = -1;
		int fd;
		int p[2];
		while ((fd = open("/dev/null", O_RDONLY)) >= 0)
			last = fd;
		EQ(errno, EMFILE);
		EQ(last, 29);
		ERR(dup(0), EMFILE);
		ERR(pipe(p), EMFILE);
		ERR(dup2(0, 30), EBADF);
		ERR(fcntl(0, F_DUPFD, 30), EINVAL);
		close(20);
		EQ(dup(0), 20);
		close(20);
		ERR(pipe(p), EMFILE);
		EQ(dup(0), 20)), 0);
}

TEST(many_descriptors)
{
	EXITED(CHILD(
		struct rlimit limit = { 1024, 1024 };
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
		int n = limit.rlim_cur < 1000 ? limit.rlim_cur : 1000;
		int fd = 0;
		while (fd < n - 1)
			fd = OK(open("/dev/null", O_RDONLY));
		EXITED(CHILD(OK(fcntl(n - 1, F_GETFD))), 0)), 0);
}

TEST(send_file)
{
	NEED(tap_enter());
	int in = make("in", "0123456789abcdef"), out = make("out", ""), p[2];
	off_t at = 4;
	EQ(sendfile(out, in, &at, 6), 6);
	EQ(at, 10);
	EQ(lseek(in, 0, SEEK_CUR), 0);
	EQ(sendfile(out, in, NULL, 3), 3);
	EQ(lseek(in, 0, SEEK_CUR), 3);
	memset(buffer, 0, 20);
	EQ(pread(out, buffer, 20, 0), 9);
	STREQ(buffer, "456789012");
	at = 12;
	EQ(sendfile(out, in, &at, 100), 4);
	EQ(sendfile(out, in, &at, 100), 0);
	OK(pipe(p));
	at = 0;
	EQ(sendfile(p[1], in, &at, 16), 16);
	EQ(read(p[0], buffer, 20), 16);
	ERR(sendfile(999, in, NULL, 1), EBADF);
	ERR(sendfile(out, 999, NULL, 1), EBADF);
	int readable = OK(open("out", O_RDONLY));
	ERR(sendfile(readable, in, NULL, 1), EBADF);
	at = -1;
	ERR(sendfile(out, in, &at, 1), EINVAL);
}

TEST(synchronise)
{
	NEED(tap_enter());
	int fd = make("file", "x"), p[2];
	OK(fsync(fd));
	OK(fdatasync(fd));
	sync();
	ERR(fsync(999), EBADF);
	OK(pipe(p));
	ERR(fsync(p[0]), EINVAL);
}
