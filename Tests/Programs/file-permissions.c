// Who may do what to a file: modes, owners, the sticky and set-id bits, times, access; locks.
#include "tap.h"
#include <sys/file.h>
#include <sys/time.h>

enum { SOMEBODY = 1000, ELSE = 1001 };

static void make(const char *name, mode_t mode)
{
	int fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
	EQ(write(fd, "text", 4), 4);
	OK(fchmod(fd, mode));
	close(fd);
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

// Runs the statements as another user and group, without any other groups.
#define AS(uid, gid, ...)                                                                              \
	EXITED(CHILD(OK(syscall(SYS_setgroups, 0L, NULL)); OK(setgid(gid)); OK(setuid(uid)); { __VA_ARGS__; }), 0)

TEST(fields)
{
	NEED(tap_enter());
	struct stat st, other;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	make("file", 0640);
	OK(stat("file", &st));
	EQ(st.st_mode, S_IFREG | 0640);
	EQ(st.st_nlink, 1);
	EQ(st.st_uid, 0);
	EQ(st.st_size, 4);
	CHECK(st.st_ino != 0 && st.st_blksize > 0);
	CHECK(st.st_blocks <= 8);
	CHECK(st.st_mtim.tv_sec >= now.tv_sec - 1 && st.st_mtim.tv_sec <= now.tv_sec + 100);
	int fd = OK(open("file", O_RDONLY));
	OK(fstat(fd, &other));
	EQ(other.st_ino, st.st_ino);
	EQ(other.st_dev, st.st_dev);
	OK(fstatat(AT_FDCWD, "file", &other, 0));
	EQ(other.st_ino, st.st_ino);
	OK(fstatat(fd, "", &other, 0x1000));
	EQ(other.st_ino, st.st_ino);
	ERR(syscall(SYS_newfstatat, fd, "", &other, 0), ENOENT);
	ERR(syscall(SYS_stat, "file", 8L), EFAULT);
	ERR(syscall(SYS_stat, 8L, &st), EFAULT);
	ERR(fstat(999, &st), EBADF);
	OK(stat("/dev/null", &st));
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
	OK(stat(".", &st));
	CHECK(S_ISDIR(st.st_mode));
	EQ(st.st_nlink, 2);
}

TEST(change_mode)
{
	NEED(tap_enter());
	OK(chmod(".", 0755));
	make("file", 0600);
	OK(chmod("file", 07777));
	EQ(mode_of("file"), 07777);
	OK(chmod("file", 0644));
	int fd = OK(open("file", O_RDONLY));
	OK(fchmod(fd, 0711));
	EQ(mode_of("file"), 0711);
	OK(symlink("file", "link"));
	OK(chmod("link", 0600));
	EQ(mode_of("file"), 0600);
	ERR(chmod("none", 0600), ENOENT);
	AS(SOMEBODY, SOMEBODY, ERR(chmod("file", 0777), EPERM));
}

TEST(change_owner)
{
	NEED(tap_enter());
	struct stat st;
	make("file", 0644);
	OK(chown("file", SOMEBODY, 7));
	OK(stat("file", &st));
	EQ(st.st_uid, SOMEBODY);
	EQ(st.st_gid, 7);
	OK(chown("file", -1, 8));
	OK(chown("file", ELSE, -1));
	OK(stat("file", &st));
	EQ(st.st_uid, ELSE);
	EQ(st.st_gid, 8);
	OK(symlink("file", "link"));
	OK(lchown("link", 5, 5));
	OK(lstat("link", &st));
	EQ(st.st_uid, 5);
	OK(stat("link", &st));
	EQ(st.st_uid, ELSE);
	OK(chmod(".", 0777));
	AS(SOMEBODY, SOMEBODY,
	   ERR(chown("file", SOMEBODY, -1), EPERM);
	   make("mine", 0644);
	   OK(stat("mine", &st));
	   EQ(st.st_uid, SOMEBODY);
	   EQ(st.st_gid, SOMEBODY);
	   ERR(chown("mine", ELSE, -1), EPERM);
	   ERR(chown("mine", -1, ELSE), EPERM);
	   OK(chown("mine", SOMEBODY, SOMEBODY)));
	// A change of owner takes the set-id bits of a program away.
	make("program", 06755);
	OK(chown("program", SOMEBODY, SOMEBODY));
	EQ(mode_of("program"), 0755);
}

TEST(read_and_write_permission)
{
	NEED(tap_enter());
	OK(chmod(".", 0755));
	make("owner", 0600);
	OK(chown("owner", SOMEBODY, SOMEBODY));
	make("group", 0060);
	OK(chown("group", SOMEBODY, 50));
	make("all", 0666);
	AS(SOMEBODY, SOMEBODY,
	   OK(open("owner", O_RDWR));
	   // The owner's bits decide for the owner, even where others may more.
	   ERR(open("group", O_RDONLY), EACCES);
	   OK(open("all", O_RDWR)));
	AS(ELSE, 50, ERR(open("owner", O_RDONLY), EACCES); OK(open("group", O_RDWR)));
	AS(ELSE, ELSE,
	   ERR(open("owner", O_RDONLY), EACCES);
	   ERR(open("group", O_WRONLY), EACCES);
	   ERR(open("new", O_RDWR | O_CREAT, 0600), EACCES);
	   ERR(open("all", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	   ERR(truncate("owner", 0), EACCES);
	   ERR(unlink("all"), EACCES);
	   ERR(rename("all", "x"), EACCES);
	   ERR(link("all", "x"), EACCES);
	   ERR(mkdir("d", 0700), EACCES);
	   ERR(symlink("a", "b"), EACCES));
	// A supplementary group counts.
	EXITED(CHILD(gid_t groups[2] = { 60, 50 }; OK(syscall(SYS_setgroups, 2L, groups)); OK(setgid(ELSE)); OK(setuid(ELSE));
		     OK(open("group", O_RDWR))), 0);
	// The mode given to open does not bind the descriptor it makes.
	OK(open("created", O_RDWR | O_CREAT, 0000));
	OK(open("owner", O_RDWR));
}

TEST(search_permission)
{
	NEED(tap_enter());
	OK(chmod(".", 0755));
	OK(mkdir("closed", 0700));
	make("closed/file", 0666);
	OK(mkdir("listed", 0744));
	make("listed/file", 0666);
	OK(mkdir("hidden", 0711));
	make("hidden/file", 0666);
	struct stat st;
	AS(SOMEBODY, SOMEBODY,
	   ERR(open("closed/file", O_RDONLY), EACCES);
	   ERR(stat("closed/file", &st), EACCES);
	   ERR(open("closed", O_RDONLY), EACCES);
	   ERR(chdir("closed"), EACCES);
	   OK(stat("closed", &st));
	   OK(open("listed", O_RDONLY));
	   ERR(stat("listed/file", &st), EACCES);
	   ERR(open("hidden", O_RDONLY), EACCES);
	   OK(open("hidden/file", O_RDONLY)));
}

TEST(sticky_directory)
{
	NEED(tap_enter());
	OK(chmod(".", 01777));
	make("theirs", 0666);
	OK(chown("theirs", ELSE, ELSE));
	AS(SOMEBODY, SOMEBODY,
	   ERR(unlink("theirs"), EPERM);
	   ERR(rename("theirs", "x"), EPERM);
	   make("mine", 0600);
	   ERR(rename("mine", "theirs"), EPERM);
	   OK(unlink("mine")));
	AS(ELSE, ELSE, OK(unlink("theirs")));
}

TEST(access_asks_the_real_user)
{
	NEED(tap_enter());
	OK(chmod(".", 0755));
	make("file", 0600);
	make("program", 0755);
	OK(access("file", R_OK | W_OK));
	ERR(access("file", X_OK), EACCES);
	OK(access("program", X_OK));
	ERR(access("none", F_OK), ENOENT);
	ERR(access("file", 99), EINVAL);
	EXITED(CHILD(
		OK(setresuid(SOMEBODY, 0, 0));
		ERR(access("file", R_OK), EACCES);
		OK(open("file", O_RDONLY));
		ERR(faccessat(AT_FDCWD, "file", R_OK, 0), EACCES)), 0);
	EXITED(CHILD(
		OK(setresuid(SOMEBODY, SOMEBODY, 0));
		ERR(open("file", O_RDONLY), EACCES);
		OK(seteuid(0));
		OK(open("file", O_RDONLY))), 0);
}

HELPER(identity)
{
	unsigned long p[2] = { 0 }, secure = 99;
	int fd = open("/proc/self/auxv", O_RDONLY);
	while (fd >= 0 && read(fd, p, 16) == 16 && p[0])
		if (p[0] == 23)
			secure = p[1];
	printf("%d %d %d %d %lu\n", getuid(), geteuid(), getgid(), getegid(), secure);
	return 0;
}

TEST(set_id_programs)
{
	NEED(tap_enter());
	static char block[65536];
	OK(chmod(".", 0755));
	int in = OK(open("/proc/self/exe", O_RDONLY)), out = OK(open("program", O_WRONLY | O_CREAT, 0755)), p[2];
	for (ssize_t n; (n = read(in, block, sizeof block)) > 0;)
		EQ(write(out, block, n), n);
	close(out);
	OK(chown("program", ELSE, 77));
	OK(chmod("program", 06755));
	OK(pipe(p));
	EXITED(CHILD(
		OK(syscall(SYS_setgroups, 0L, NULL));
		OK(setgid(SOMEBODY));
		OK(setuid(SOMEBODY));
		dup2(p[1], 1);
		execl("./program", "program", "--identity", NULL)), 0);
	char text[64] = "";
	CHECK(read(p[0], text, 63) > 0);
	// /proc may withhold the auxiliary vector of such a program from itself: then 99.
	CHECK(strcmp(text, "1000 1001 1000 77 1\n") == 0 || strcmp(text, "1000 1001 1000 77 99\n") == 0);
	if (tap_failed)
		tap_note("%s", text);
}

TEST(set_group_directory)
{
	NEED(tap_enter());
	struct stat st;
	OK(mkdir("d", 0755));
	OK(chown("d", 0, 44));
	OK(chmod("d", 02755));
	make("d/file", 0600);
	OK(stat("d/file", &st));
	EQ(st.st_gid, 44);
	OK(mkdir("d/sub", 0755));
	OK(stat("d/sub", &st));
	EQ(st.st_gid, 44);
	EQ(st.st_mode & 07777, 02755);
}

TEST(times_of_files)
{
	NEED(tap_enter());
	OK(chmod(".", 0755));
	struct stat st;
	struct timespec set[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };
	make("file", 0644);
	OK(utimensat(AT_FDCWD, "file", set, 0));
	OK(stat("file", &st));
	EQ(st.st_atim.tv_sec, 1000000000);
	EQ(st.st_mtim.tv_sec, 1100000000);
	EQ(st.st_mtim.tv_nsec, 987654321);
	set[0].tv_nsec = UTIME_OMIT;
	set[1].tv_nsec = UTIME_NOW;
	OK(utimensat(AT_FDCWD, "file", set, 0));
	OK(stat("file", &st));
	EQ(st.st_atim.tv_sec, 1000000000);
	CHECK(st.st_mtim.tv_sec > 1700000000);
	set[1].tv_nsec = 1000000000;
	ERR(utimensat(AT_FDCWD, "file", set, 0), EINVAL);
	ERR(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	OK(utimes("file", (struct timeval[2]){ { 5, 6 }, { 7, 8 } }));
	OK(stat("file", &st));
	EQ(st.st_mtim.tv_sec, 7);
	EQ(st.st_mtim.tv_nsec, 8000);
	int fd = OK(open("file", O_RDWR));
	OK(futimens(fd, NULL));
	OK(stat("file", &st));
	CHECK(st.st_mtim.tv_sec > 1700000000);
	// Writing changes the time, and of a directory making a name does.
	OK(utimes("file", (struct timeval[2]){ { 5, 6 }, { 7, 8 } }));
	EQ(write(fd, "x", 1), 1);
	OK(stat("file", &st));
	CHECK(st.st_mtim.tv_sec > 1700000000);
	OK(utimes(".", (struct timeval[2]){ { 5, 6 }, { 7, 8 } }));
	make("new", 0644);
	OK(stat(".", &st));
	CHECK(st.st_mtim.tv_sec > 1700000000);
	AS(SOMEBODY, SOMEBODY,
	   ERR(utimensat(AT_FDCWD, "file", NULL, 0), EACCES);
	   ERR(utimes("file", (struct timeval[2]){ { 5, 6 }, { 7, 8 } }), EPERM));
}

TEST(whole_file_locks)
{
	NEED(tap_enter());
	make("file", 0644);
	int fd = OK(open("file", O_RDWR));
	if (flock(fd, LOCK_EX) < 0 && errno == ENOSYS)
		SKIP("no flock");
	EXITED(CHILD(int mine = OK(open("file", O_RDWR)); ERR(flock(mine, LOCK_SH | LOCK_NB), EWOULDBLOCK)), 0);
	OK(flock(fd, LOCK_SH));
	EXITED(CHILD(int mine = OK(open("file", O_RDWR)); OK(flock(mine, LOCK_SH | LOCK_NB));
		     ERR(flock(mine, LOCK_EX | LOCK_NB), EWOULDBLOCK)), 0);
	pid_t child = SPAWN(int mine = OK(open("file", O_RDWR)); OK(flock(mine, LOCK_EX)));
	tap_await_state(child, 'S');
	OK(flock(fd, LOCK_UN));
	EXITED(tap_wait(child), 0);
	ERR(flock(fd, 0), EINVAL);
	ERR(flock(999, LOCK_SH), EBADF);
}

TEST(record_locks)
{
	NEED(tap_enter());
	make("file", 0644);
	int fd = OK(open("file", O_RDWR));
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };
	if (fcntl(fd, F_SETLK, &lock) < 0 && (errno == ENOSYS || errno == EINVAL))
		SKIP("no record locks");
	pid_t owner = getpid();
	EXITED(CHILD(
		struct flock mine = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 1 };
		ERR(fcntl(fd, F_SETLK, &mine), EAGAIN);
		OK(fcntl(fd, F_GETLK, &mine));
		EQ(mine.l_type, F_WRLCK);
		EQ(mine.l_pid, owner);
		EQ(mine.l_start, 10);
		EQ(mine.l_len, 10);
		mine = (struct flock){ .l_type = F_WRLCK, .l_start = 20, .l_len = 1 };
		OK(fcntl(fd, F_SETLK, &mine))), 0);
	lock.l_type = F_UNLCK;
	OK(fcntl(fd, F_SETLK, &lock));
	EXITED(CHILD(struct flock mine = { .l_type = F_WRLCK }; OK(fcntl(fd, F_SETLK, &mine))), 0);
}
