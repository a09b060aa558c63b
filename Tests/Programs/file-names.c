// Names: links, renames, directories and their listing, paths and their limits, working directories.
#include "tap.h"
#include <dirent.h>
#include <limits.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void make(const char *name, const char *text)
{
	int fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *content(const char *name)
{
	static char text[100];
	return tap_read(name, text, sizeof text) < 0 ? tap_errno(errno) : text;
}

static long inode(const char *name)
{
	struct stat st;
	return lstat(name, &st) < 0 ? -1 : (long)st.st_ino;
}

static long links(const char *name)
{
	struct stat st;
	return lstat(name, &st) < 0 ? -1 : (long)st.st_nlink;
}

TEST(hard_links)
{
	NEED(tap_enter());
	make("a", "one");
	EQ(links("a"), 1);
	OK(link("a", "b"));
	EQ(links("a"), 2);
	EQ(inode("a"), inode("b"));
	make("b", "two");
	STREQ(content("a"), "two");
	ERR(link("a", "b"), EEXIST);
	ERR(link("none", "c"), ENOENT);
	OK(mkdir("d", 0755));
	ERR(link("d", "e"), EPERM);
	ERR(link("a", "none/c"), ENOENT);
	OK(unlink("a"));
	STREQ(content("b"), "two");
	EQ(links("b"), 1);
}

TEST(unlinked_while_open)
{
	NEED(tap_enter());
	make("a", "data");
	int fd = OK(open("a", O_RDWR));
	struct stat st;
	OK(unlink("a"));
	ERR(open("a", O_RDONLY), ENOENT);
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	EQ(pwrite(fd, "DATA!", 5, 0), 5);
	char text[8] = "";
	EQ(pread(fd, text, 7, 0), 5);
	STREQ(text, "DATA!");
	make("a", "new");
	STREQ(content("a"), "new");
	EQ(pread(fd, text, 7, 0), 5);
	ERR(unlink("none"), ENOENT);
	ERR(unlink("a/x"), ENOTDIR);
	OK(mkdir("d", 0755));
	ERR(unlink("d"), EISDIR);
	ERR(unlink("a/"), ENOTDIR);
}

TEST(symbolic_links)
{
	NEED(tap_enter());
	char text[100];
	struct stat st;
	make("file", "through");
	OK(symlink("file", "link"));
	STREQ(content("link"), "through");
	EQ(readlink("link", text, sizeof text), 4);
	EQ(readlink("link", text, 2), 2);
	ERR(readlink("file", text, sizeof text), EINVAL);
	ERR(readlink("none", text, sizeof text), ENOENT);
	ERR(syscall(SYS_readlink, "link", text, 0L), EINVAL);
	OK(lstat("link", &st));
	CHECK(S_ISLNK(st.st_mode));
	EQ(st.st_size, 4);
	EQ(st.st_mode & 0777, 0777);
	ERR(symlink("x", "link"), EEXIST);
	ERR(symlink("", "empty"), ENOENT);
	OK(symlink("nowhere", "dangling"));
	ERR(stat("dangling", &st), ENOENT);
	OK(mkdir("d", 0755));
	make("d/inside", "in");
	OK(symlink("d", "dl"));
	STREQ(content("dl/inside"), "in");
	STREQ(content("dl/../file"), "through");
	OK(symlink("../file", "d/up"));
	STREQ(content("d/up"), "through");
	ERR(rmdir("dl"), ENOTDIR);
	OK(unlink("dl"));
	OK(access("d/inside", F_OK));
	snprintf(text, sizeof text, "%s/file", tap_directory);
	OK(symlink(text, "absolute"));
	STREQ(content("absolute"), "through");
}

TEST(loops_and_chains_of_links)
{
	NEED(tap_enter());
	char name[20], target[20];
	struct stat st;
	OK(symlink("self", "self"));
	ERR(open("self", O_RDONLY), ELOOP);
	ERR(stat("self", &st), ELOOP);
	OK(symlink("b", "a"));
	OK(symlink("a", "b"));
	ERR(open("a", O_RDONLY), ELOOP);
	ERR(open("a/x", O_RDONLY), ELOOP);
	OK(lstat("a", &st));
	// Forty links are followed, no more.
	make("c0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof name, "c%d", i);
		snprintf(target, sizeof target, "c%d", i - 1);
		OK(symlink(target, name));
	}
	STREQ(content("c40"), "end");
	STREQ(content("c41"), "ELOOP");
}

TEST(rename_files)
{
	NEED(tap_enter());
	make("a", "A");
	make("b", "B");
	long ino = inode("a");
	OK(rename("a", "c"));
	EQ(inode("c"), ino);
	EQ(inode("a"), -1);
	OK(rename("c", "b"));
	STREQ(content("b"), "A");
	ERR(rename("none", "b"), ENOENT);
	ERR(rename("b", "none/b"), ENOENT);
	ERR(rename("b", "/proc/b"), EXDEV);
	// Two names of one file: nothing happens.
	OK(link("b", "same"));
	OK(rename("b", "same"));
	EQ(inode("b"), ino);
	EQ(links("same"), 2);
	OK(rename("b", "b"));
	ERR(rename("b", "same/"), ENOTDIR);
	OK(symlink("target", "link"));
	OK(rename("link", "moved"));
	EQ(readlink("moved", (char[10]){ 0 }, 10), 6);
}

TEST(rename_directories)
{
	NEED(tap_enter());
	make("file", "f");
	OK(mkdir("a", 0755));
	OK(mkdir("a/b", 0755));
	make("a/b/f", "deep");
	ERR(rename("a", "a/b/c"), EINVAL);
	ERR(rename("a", "file"), ENOTDIR);
	ERR(rename("file", "a"), EISDIR);
	OK(mkdir("empty", 0755));
	OK(mkdir("full", 0755));
	make("full/x", "");
	ERR(rename("a", "full"), ENOTEMPTY);
	OK(rename("a", "empty"));
	STREQ(content("empty/b/f"), "deep");
	EQ(inode("a"), -1);
	EQ(links("empty"), 3);
	// Moved into another directory its `..` goes with it.
	OK(rename("empty/b", "b"));
	EQ(inode("b/.."), inode("."));
	EQ(links("empty"), 2);
	ERR(rename(".", "x"), EBUSY);
	ERR(rename("b", "b/.."), EBUSY);
	int dir = OK(open("empty", O_RDONLY));
	OK(renameat(AT_FDCWD, "file", dir, "here"));
	STREQ(content("empty/here"), "f");
	make("y", "");
	ERR(syscall(SYS_renameat2, AT_FDCWD, "y", dir, "here", 1), EEXIST);
	ERR(syscall(SYS_renameat2, AT_FDCWD, "y", dir, "here", 0x80), EINVAL);
}

TEST(directories)
{
	NEED(tap_enter());
	OK(mkdir("d", 0755));
	ERR(mkdir("d", 0755), EEXIST);
	ERR(mkdir("none/d", 0755), ENOENT);
	ERR(mkdir("", 0755), ENOENT);
	make("file", "");
	ERR(mkdir("file/d", 0755), ENOTDIR);
	ERR(mkdir("file", 0755), EEXIST);
	OK(mkdir("e/", 0755));
	EQ(links("d"), 2);
	OK(mkdir("d/sub", 0755));
	EQ(links("d"), 3);
	ERR(rmdir("d"), ENOTEMPTY);
	ERR(rmdir("file"), ENOTDIR);
	ERR(rmdir("none"), ENOENT);
	ERR(rmdir("d/."), EINVAL);
	ERR(rmdir("d/sub/.."), ENOTEMPTY);
	OK(rmdir("d/sub"));
	EQ(links("d"), 2);
	OK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	ERR(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR), ENOTDIR);
	ERR(unlinkat(AT_FDCWD, "file", 0x1), EINVAL);
	ERR(rmdir("/"), EBUSY);
	ERR(mkdir("/", 0755), EEXIST);
}

TEST(removed_working_directory)
{
	NEED(tap_enter());
	char text[100];
	OK(mkdir("d", 0755));
	OK(chdir("d"));
	OK(rmdir("../d"));
	ERR(syscall(SYS_getcwd, text, sizeof text), ENOENT);
	ERR(open("new", O_RDWR | O_CREAT, 0600), ENOENT);
	ERR(mkdir("new", 0755), ENOENT);
	OK(chdir(".."));
	STREQ(getcwd(text, sizeof text), tap_directory);
}

TEST(listing_is_complete)
{
	NEED(tap_enter());
	static char seen[1000];
	char name[32];
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "file-%d", i);
		close(OK(open(name, O_WRONLY | O_CREAT, 0600)));
	}
	OK(mkdir("file-x", 0700));
	OK(symlink("a", "file-y"));
	DIR *d = opendir(".");
	int dots = 0, others = 0, number;
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		OK(lstat(e->d_name, &st));
		if (strcmp(e->d_name, "..") != 0)
			EQ(e->d_ino, st.st_ino);
		CHECK(e->d_type == DT_UNKNOWN || e->d_type == st.st_mode >> 12);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			dots++;
		else if (sscanf(e->d_name, "file-%d", &number) == 1)
			seen[number % 1000]++;
		else
			others++;
	}
	EQ(dots, 2);
	EQ(others, 2);
	for (int i = 0; i < 1000; i++)
		EQ(seen[i], 1);
	// Removing while listing skips nobody.
	rewinddir(d);
	int removed = 0;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] == 'f' && strcmp(e->d_name, "file-x") && unlink(e->d_name) == 0)
			removed++;
	EQ(removed, 1001);
	closedir(d);
	OK(rmdir("file-x"));
}

TEST(listing_errors)
{
	NEED(tap_enter());
	char buffer[4096];
	make("file", "");
	int fd = OK(open("file", O_RDONLY)), dir = OK(open(".", O_RDONLY));
	ERR(syscall(SYS_getdents64, fd, buffer, sizeof buffer), ENOTDIR);
	ERR(syscall(SYS_getdents64, dir, buffer, 10L), EINVAL);
	ERR(syscall(SYS_getdents64, dir, 8L, 4096L), EFAULT);
	ERR(syscall(SYS_getdents64, 999L, buffer, 4096L), EBADF);
	ERR(read(dir, buffer, 10), EISDIR);
	CHECK(syscall(SYS_getdents64, dir, buffer, sizeof buffer) > 0);
	EQ(syscall(SYS_getdents64, dir, buffer, sizeof buffer), 0);
	EQ(lseek(dir, 0, SEEK_SET), 0);
	CHECK(syscall(SYS_getdents64, dir, buffer, sizeof buffer) > 0);
}

TEST(lengths_of_names)
{
	NEED(tap_enter());
	char name[300], path[PATH_MAX + 100];
	memset(name, 'n', sizeof name);
	name[255] = 0;
	make(name, "longest");
	STREQ(content(name), "longest");
	name[255] = 'n';
	name[256] = 0;
	ERR(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
	ERR(mkdir(name, 0700), ENAMETOOLONG);
	make("f", "short");
	memset(path, 0, sizeof path);
	for (int i = 0; i < PATH_MAX - 2; i += 2)
		memcpy(path + i, "./", 2);
	path[PATH_MAX - 2] = 'f';
	STREQ(content(path), "short");
	path[PATH_MAX - 2] = '/';
	path[PATH_MAX - 1] = 'f';
	ERR(open(path, O_RDONLY), ENAMETOOLONG);
	STREQ(content(".//././//f"), "short");
}

TEST(working_directory)
{
	NEED(tap_enter());
	char text[200], want[200];
	OK(mkdir("d", 0755));
	OK(symlink("d", "l"));
	int here = OK(open(".", O_RDONLY | O_DIRECTORY));
	OK(chdir("l"));
	snprintf(want, sizeof want, "%s/d", tap_directory);
	STREQ(getcwd(text, sizeof text), want);
	EQ(syscall(SYS_getcwd, text, sizeof text), strlen(want) + 1);
	ERR(syscall(SYS_getcwd, text, strlen(want)), ERANGE);
	ERR(syscall(SYS_getcwd, 8L, 100L), EFAULT);
	OK(fchdir(here));
	STREQ(getcwd(text, sizeof text), tap_directory);
	make("file", "");
	ERR(chdir("file"), ENOTDIR);
	ERR(chdir("none"), ENOENT);
	ERR(fchdir(999), EBADF);
	OK(chdir("/"));
	OK(chdir("../../.."));
	STREQ(getcwd(text, sizeof text), "/");
	EQ(readlink("/proc/self/cwd", text, sizeof text), 1);
}

TEST(own_name)
{
	char name[256] = "";
	struct stat a, b;
	CHECK(readlink("/proc/self/exe", name, 255) > 0);
	CHECK(name[0] == '/' && strstr(name, "file-names") != NULL);
	OK(stat(name, &a));
	OK(stat("/proc/self/exe", &b));
	EQ(a.st_ino, b.st_ino);
}

TEST(file_system_status)
{
	struct statfs fs;
	OK(statfs("/tmp", &fs));
	CHECK(fs.f_bsize >= 512 && fs.f_namelen >= 255);
	OK(statfs("/proc", &fs));
	EQ(fs.f_type, 0x9fa0);
	ERR(statfs("/none", &fs), ENOENT);
	ERR(syscall(SYS_statfs, "/tmp", 8L), EFAULT);
	ERR(syscall(SYS_fstatfs, 999L, &fs), EBADF);
	int fd = OK(open("/tmp", O_RDONLY));
	OK(syscall(SYS_fstatfs, fd, &fs));
}

TEST(device_nodes)
{
	NEED(tap_enter());
	struct stat st;
	char c = 1;
	OK(mknod("zero", S_IFCHR | 0666, makedev(1, 5)));
	OK(stat("zero", &st));
	CHECK(S_ISCHR(st.st_mode));
	EQ(st.st_rdev, makedev(1, 5));
	int fd = open("zero", O_RDONLY);
	if (fd >= 0) {
		EQ(read(fd, &c, 1), 1);
		EQ(c, 0);
	} else
		EQ(errno, EACCES);
	OK(mknod("plain", S_IFREG | 0600, 0));
	ERR(mknod("plain", S_IFREG | 0600, 0), EEXIST);
	ERR(mknod("directory", S_IFDIR | 0700, 0), EPERM);
	OK(mknod("nothing", S_IFCHR | 0600, makedev(240, 77)));
	ERR(open("nothing", O_RDONLY), ENXIO);
}
