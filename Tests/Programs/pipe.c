// Pipes and FIFOs: order, blocking, ends, capacity, atomic writes, errors.
#include "tap.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

enum { CAPACITY = 65536 };
static int p[2];

static void handler(int sig) { (void)sig; }

TEST(first_in_first_out)
{
	char text[16] = "";
	OK(pipe(p));
	EQ(write(p[1], "hello", 5), 5);
	EQ(write(p[1], " world", 6), 6);
	EQ(read(p[0], text, 3), 3);
	EQ(read(p[0], text + 3, 12), 8);
	STREQ(text, "hello world");
	EQ(write(p[1], "", 0), 0);
	EQ(read(p[0], text, 0), 0);
}

TEST(end_of_file)
{
	char c;
	OK(pipe(p));
	EQ(write(p[1], "x", 1), 1);
	close(p[1]);
	EQ(read(p[0], &c, 1), 1);
	EQ(read(p[0], &c, 1), 0);
	EQ(read(p[0], &c, 1), 0);
}

TEST(blocked_reader_sees_the_end)
{
	OK(pipe(p));
	pid_t child = SPAWN(char c; close(p[1]); EQ(read(p[0], &c, 1), 0));
	close(p[0]);
	tap_await_state(child, 'S');
	close(p[1]);
	EXITED(tap_wait(child), 0);
}

TEST(no_reader)
{
	OK(pipe(p));
	close(p[0]);
	KILLED(CHILD(if (write(p[1], "x", 1) < 0) _exit(1)), SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	ERR(write(p[1], "x", 1), EPIPE);
	signal(SIGPIPE, handler);
	ERR(write(p[1], "x", 1), EPIPE);
}

TEST(blocked_writer_sees_the_reader_go)
{
	OK(pipe(p));
	pid_t child = SPAWN(
		static char block[CAPACITY + 1000];
		signal(SIGPIPE, SIG_IGN);
		close(p[0]);
		EQ(write(p[1], block, sizeof block), CAPACITY);
		ERR(write(p[1], block, 1), EPIPE));
	close(p[1]);
	tap_await_state(child, 'S');
	close(p[0]);
	EXITED(tap_wait(child), 0);
}

TEST(non_blocking)
{
	static char block[CAPACITY];
	char c;
	int n;
	OK(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	EQ(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	ERR(read(p[0], &c, 1), EAGAIN);
	EQ(write(p[1], block, CAPACITY), CAPACITY);
	ERR(write(p[1], block, 1), EAGAIN);
	OK(ioctl(p[0], FIONREAD, &n));
	EQ(n, CAPACITY);
	EQ(read(p[0], block, 5000), 5000);
	// More than fits and more than PIPE_BUF: what fits is taken.
	n = write(p[1], block, 60000);
	CHECK(n > 0 && n <= 5000);
	// PIPE_BUF or less: all or nothing.
	OK(pipe2(p, O_NONBLOCK));
	while (write(p[1], block, 4000) == 4000) {}
	EQ(errno, EAGAIN);
	OK(fcntl(p[0], F_SETFL, 0));
	EQ(read(p[0], block, 1), 1);
	ERR(write(p[1], block, PIPE_BUF), EAGAIN);
}

TEST(ends_have_their_direction)
{
	char c;
	OK(pipe(p));
	ERR(read(p[1], &c, 1), EBADF);
	ERR(write(p[0], &c, 1), EBADF);
	ERR(lseek(p[0], 0, SEEK_SET), ESPIPE);
	ERR(lseek(p[1], 0, SEEK_END), ESPIPE);
	ERR(pread(p[0], &c, 1, 0), ESPIPE);
	ERR(pwrite(p[1], &c, 1, 0), ESPIPE);
	ERR(ftruncate(p[1], 0), EINVAL);
	struct stat st;
	OK(fstat(p[0], &st));
	CHECK(S_ISFIFO(st.st_mode));
	ERR(syscall(SYS_pipe2, p, 0x40000000), EINVAL);
	ERR(syscall(SYS_pipe, 8L), EFAULT);
	ERR(fchdir(p[0]), ENOTDIR);
}

TEST(no_descriptor_is_lost_by_a_bad_pointer)
{
	int before = OK(dup(0));
	close(before);
	for (int i = 0; i < 10; i++)
		ERR(syscall(SYS_pipe, 8L), EFAULT);
	int after = OK(dup(0));
	EQ(after, before);
}

TEST(long_transfer_arrives_whole)
{
	enum { TOTAL = 1 << 20 };
	static unsigned char buffer[10007];
	OK(pipe(p));
	pid_t child = SPAWN(
		close(p[0]);
		static unsigned char out[30011];
		for (int done = 0; done < TOTAL;) {
			int want = TOTAL - done < (int)sizeof out ? TOTAL - done : (int)sizeof out;
			for (int i = 0; i < want; i++)
				out[i] = (done + i) * 2654435761u >> 24;
			EQ(write(p[1], out, want), want);
			done += want;
		});
	close(p[1]);
	int total = 0;
	bool good = true;
	for (ssize_t n; (n = read(p[0], buffer, sizeof buffer)) > 0; total += n)
		for (int i = 0; i < n; i++)
			good &= buffer[i] == (unsigned char)((total + i) * 2654435761u >> 24);
	EQ(total, TOTAL);
	CHECK(good);
	EXITED(tap_wait(child), 0);
}

TEST(small_writes_are_atomic)
{
	// Records of many writers never mix, and every one arrives.
	enum { WRITERS = 6, RECORDS = 60 };
	struct record { int writer, number; char fill[1016]; } record;
	pid_t child[WRITERS];
	int next[WRITERS] = { 0 };
	OK(pipe(p));
	for (int w = 0; w < WRITERS; w++)
		child[w] = SPAWN(
			close(p[0]);
			record.writer = w;
			memset(record.fill, 'a' + w, sizeof record.fill);
			for (int i = 0; i < RECORDS; i++) {
				record.number = i;
				EQ(write(p[1], &record, sizeof record), sizeof record);
			});
	close(p[1]);
	int records = 0;
	for (;; records++) {
		size_t have = 0;
		ssize_t n;
		while (have < sizeof record && (n = read(p[0], (char *)&record + have, sizeof record - have)) > 0)
			have += n;
		if (have == 0)
			break;
		NEED(have == sizeof record && record.writer >= 0 && record.writer < WRITERS);
		EQ(record.number, next[record.writer]++);
		CHECK(record.fill[0] == 'a' + record.writer && record.fill[1015] == 'a' + record.writer);
	}
	EQ(records, WRITERS * RECORDS);
	for (int w = 0; w < WRITERS; w++)
		EXITED(tap_wait(child[w]), 0);
}

TEST(many_readers_share)
{
	enum { READERS = 4, BYTES = 4000 };
	int back[2];
	pid_t child[READERS];
	OK(pipe(p));
	OK(pipe(back));
	for (int r = 0; r < READERS; r++)
		child[r] = SPAWN(
			char c;
			int got = 0;
			close(p[1]);
			while (read(p[0], &c, 1) == 1)
				got++;
			EQ(write(back[1], &got, sizeof got), sizeof got));
	close(p[0]);
	for (int i = 0; i < BYTES; i += 10)
		EQ(write(p[1], "0123456789", 10), 10);
	close(p[1]);
	int total = 0;
	for (int r = 0; r < READERS; r++) {
		int got = 0;
		EQ(read(back[0], &got, sizeof got), sizeof got);
		total += got;
		EXITED(tap_wait(child[r]), 0);
	}
	EQ(total, BYTES);
}

TEST(vectors)
{
	char a[4] = "", b[8] = "";
	struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "two", 3 } }, in[2] = { { a, 2 }, { b, 7 } };
	OK(pipe(p));
	EQ(writev(p[1], out, 3), 6);
	EQ(readv(p[0], in, 2), 6);
	STREQ(a, "on");
	STREQ(b, "etwo");
	EQ(writev(p[1], out, 0), 0);
	ERR(syscall(SYS_writev, p[1], out, -1L), EINVAL);
	ERR(syscall(SYS_writev, p[1], out, 1025L), EINVAL);
	struct iovec bad = { a, (size_t)-1 };
	ERR(syscall(SYS_writev, p[1], &bad, 1L), EINVAL);
	ERR(syscall(SYS_writev, p[1], 8L, 1L), EFAULT);
}

TEST(fifo)
{
	NEED(tap_enter());
	struct stat st;
	OK(mkfifo("fifo", 0640));
	OK(stat("fifo", &st));
	CHECK(S_ISFIFO(st.st_mode));
	ERR(mkfifo("fifo", 0640), EEXIST);
	ERR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid_t child = SPAWN(int fd = OK(open("fifo", O_WRONLY)); EQ(write(fd, "through", 7), 7));
	int fd = OK(open("fifo", O_RDONLY));
	char text[16] = "";
	EQ(read(fd, text, 15), 7);
	STREQ(text, "through");
	EQ(read(fd, text, 15), 0);
	EXITED(tap_wait(child), 0);
	close(fd);
	fd = OK(open("fifo", O_RDONLY | O_NONBLOCK));
	EQ(read(fd, text, 1), 0);
	int both = OK(open("fifo", O_RDWR));
	ERR(read(fd, text, 1), EAGAIN);
	EQ(write(both, "q", 1), 1);
	EQ(read(fd, text, 1), 1);
}

// Whoever opens second lets the first go on, which may be gone before the second looks round; nobody may
// then wait for another to come. On several CPUs, and on one, where the first goes before the second, which has
// computed, as soon as it is woken.
static void open_fifo_from_both_sides(int rounds, int burn)
{
	pid_t child = SPAWN(
		for (int i = 0; i < rounds; i++) {
			int fd = OK(open("fifo", O_WRONLY));
			EQ(write(fd, "w", 1), 1);
			close(fd);
			char reply = 0;
			fd = OK(open("fifo", O_RDONLY));
			EQ(read(fd, &reply, 1), 1);
			EQ(reply, 'r');
			close(fd);
		});
	for (int i = 0; i < rounds; i++) {
		char text = 0;
		for (volatile int n = 0; n < burn; n++)
			;
		int fd = OK(open("fifo", O_RDONLY));
		EQ(read(fd, &text, 1), 1);
		EQ(text, 'w');
		EQ(read(fd, &text, 1), 0);
		close(fd);
		fd = OK(open("fifo", O_WRONLY));
		EQ(write(fd, "r", 1), 1);
		close(fd);
	}
	EXITED(tap_wait(child), 0);
}

TEST(fifo_opened_from_both_sides_at_once)
{
	NEED(tap_enter());
	OK(mkfifo("fifo", 0600));
	open_fifo_from_both_sides(500, 0);
	cpu_set_t first;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	OK(sched_setaffinity(0, sizeof first, &first));
	open_fifo_from_both_sides(50, 2000000);
	ERR(open("fifo", 3), EINVAL);
}

TEST(opened_again_through_proc)
{
	char path[64], c = 0;
	OK(pipe(p));
	snprintf(path, sizeof path, "/proc/self/fd/%d", p[1]);
	int again = open(path, O_WRONLY);
	if (again < 0 && errno == ENOENT)
		SKIP("no /proc/self/fd");
	CHECK(again >= 0);
	EQ(write(again, "r", 1), 1);
	EQ(read(p[0], &c, 1), 1);
	EQ(c, 'r');
	char link[64];
	EQ(readlink(path, link, 5), 5);
	CHECK(memcmp(link, "pipe:", 5) == 0);
}

TEST(pipeline_of_five)
{
	int in, next[2];
	OK(pipe(p));
	in = p[0];
	pid_t child[5];
	for (int i = 0; i < 5; i++) {
		OK(pipe(next));
		child[i] = SPAWN(
			char c;
			close(p[1]);
			close(next[0]);
			while (read(in, &c, 1) == 1) {
				c++;
				if (write(next[1], &c, 1) != 1)
					_exit(1);
			});
		close(in);
		close(next[1]);
		in = next[0];
	}
	EQ(write(p[1], "HAL 9000", 8), 8);
	close(p[1]);
	char text[16] = "";
	int n = 0;
	while (n < 15 && read(in, text + n, 1) == 1)
		n++;
	STREQ(text, "MFQ%>555");
	for (int i = 0; i < 5; i++)
		EXITED(tap_wait(child[i]), 0);
}
