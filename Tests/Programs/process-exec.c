// execve: what the new program gets, what it keeps, interpreters named by `#!`, and every refusal.
#include "tap.h"
#include <limits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

extern char **environ;
static char self[256];

static void find_self(void)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
}

// Writes a file with this text and mode.
static void make(const char *name, const char *text, mode_t mode)
{
	int fd = OK(open(name, O_WRONLY | O_CREAT | O_TRUNC, mode));
	EQ(write(fd, text, strlen(text)), strlen(text));
	OK(fchmod(fd, mode));
	close(fd);
}

// Runs a program in a child and collects its standard output.
static const char *output(const char *path, char *const argv[], char *const envp[], int want)
{
	static char text[8192];
	int pipefd[2];
	size_t total = 0;
	ssize_t n;
	OK(pipe(pipefd));
	pid_t child = SPAWN(dup2(pipefd[1], 1); close(pipefd[0]); close(pipefd[1]); execve(path, argv, envp); _exit(120));
	close(pipefd[1]);
	while ((n = read(pipefd[0], text + total, sizeof text - 1 - total)) > 0)
		total += n;
	text[total] = 0;
	close(pipefd[0]);
	EXITED(tap_wait(child), want);
	return text;
}

HELPER(show)
{
	for (int i = 0; i < argc; i++)
		printf("[%s]", argv[i]);
	for (char **e = environ; *e; e++)
		printf("{%s}", *e);
	fflush(stdout);
	return 3;
}

// A script names this program as its interpreter: the arguments then begin with the script's.
HELPER(script)
{
	return helper_show(argc, argv);
}

TEST(arguments_and_environment)
{
	find_self();
	char *argv[] = { "any name", "--show", "", "two words", "\xff\x01", NULL };
	char *envp[] = { "A=1", "B=", "=odd", "none", NULL };
	STREQ(output(self, argv, envp, 3), "[--show][][two words][\xff\x01]{A=1}{B=}{=odd}{none}");
	STREQ(output(self, argv, NULL, 3), "[--show][][two words][\xff\x01]");
}

TEST(no_arguments_become_one_empty)
{
	find_self();
	make("/tmp/tap-count.sh", "#!/bin/busybox sh\necho $#\n", 0755);
	char *none[] = { NULL };
	// Linux gives a program without arguments an empty argv[0].
	STREQ(output("/tmp/tap-count.sh", none, NULL, 0), "0\n");
	unlink("/tmp/tap-count.sh");
}

TEST(image_is_replaced)
{
	find_self();
	char *argv[] = { self, "--where", NULL };
	char name[32];
	OK(prctl(PR_SET_NAME, "before"));
	uintptr_t page = (uintptr_t)mmap((void *)0x20000000, 4096, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	EQ(page, 0x20000000);
	const char *text = output(self, argv, environ, 0);
	snprintf(name, sizeof name, "%.15s unmapped", strrchr(self, '/') + 1);
	STREQ(text, name);
}

HELPER(where)
{
	char name[16];
	prctl(PR_GET_NAME, name);
	printf("%s %s", name, msync((void *)0x20000000, 4096, MS_ASYNC) < 0 ? "unmapped" : "mapped");
	return 0;
}

HELPER(kept)
{
	sigset_t mask, pending;
	struct sigaction usr1, usr2;
	struct rlimit limit;
	char where[64];
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigpending(&pending);
	sigaction(SIGUSR1, NULL, &usr1);
	sigaction(SIGUSR2, NULL, &usr2);
	getrlimit(RLIMIT_NOFILE, &limit);
	mode_t old = umask(0);
	printf("pid %d ppid %d mask %d pending %d ignored %d default %d umask %o cwd %s files %ld fd30 %d fd31 %d",
	       getpid(), getppid(), sigismember(&mask, SIGHUP), sigismember(&pending, SIGHUP), usr1.sa_handler == SIG_IGN,
	       usr2.sa_handler == SIG_DFL, old, getcwd(where, sizeof where), (long)limit.rlim_cur, fcntl(30, F_GETFD),
	       fcntl(31, F_GETFD));
	fflush(stdout);
	return 0;
}

static void on_signal(int sig) { (void)sig; }

TEST(what_survives_and_what_does_not)
{
	find_self();
	int pipefd[2];
	OK(pipe(pipefd));
	pid_t child = SPAWN(
		sigset_t set;
		struct rlimit limit = { 64, 64 };
		dup2(pipefd[1], 1);
		sigemptyset(&set);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGHUP);
		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, on_signal);
		umask(027);
		if (chdir("/proc") < 0) _exit(9);
		setrlimit(RLIMIT_NOFILE, &limit);
		dup2(pipefd[1], 30);
		dup3(pipefd[1], 31, O_CLOEXEC);
		char *argv[] = { self, "--kept", NULL };
		execve(self, argv, environ));
	close(pipefd[1]);
	char text[512], want[512];
	ssize_t n = read(pipefd[0], text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	snprintf(want, sizeof want, "pid %d ppid %d mask 1 pending 1 ignored 1 default 1 umask 27 cwd /proc files 64 fd30 0 fd31 -1",
		 child, getpid());
	STREQ(text, want);
	EXITED(tap_wait(child), 0);
}

TEST(script_interpreters)
{
	find_self();
	NEED(tap_enter());
	char text[600], want[600];
	// `#!` takes one optional argument: the rest of the line, blanks trimmed at both ends.
	snprintf(text, sizeof text, "#! \t%s   --script  \nnothing\n", self);
	make("with-argument", text, 0755);
	char *argv[] = { "ignored", "a", "b c", NULL };
	char *none[] = { NULL };
	STREQ(output("./with-argument", argv, none, 3), "[--script][./with-argument][a][b c]");
	snprintf(text, sizeof text, "#!/bin/busybox sh\necho \"$0|$1|$#\"; exit 6\n");
	make("shell", text, 0755);
	STREQ(output("./shell", argv, none, 6), "./shell|a|2\n");
	// A script whose interpreter is a script.
	snprintf(text, sizeof text, "#!%s/with-argument -x -y\n", tap_directory);
	make("nested", text, 0755);
	snprintf(want, sizeof want, "[--script][%s/with-argument][-x -y][./nested][a][b c]", tap_directory);
	STREQ(output("./nested", argv, none, 3), want);
	// No newline at the end of the file.
	snprintf(text, sizeof text, "#!%s --script", self);
	make("no-newline", text, 0755);
	STREQ(output("./no-newline", argv, none, 3), "[--script][./no-newline][a][b c]");
}

TEST(script_refusals)
{
	NEED(tap_enter());
	char *argv[] = { "x", NULL };
	char text[400];
	make("missing", "#!/nowhere/at/all\n", 0755);
	ERR(execve("./missing", argv, environ), ENOENT);
	make("empty", "#!\n", 0755);
	ERR(execve("./empty", argv, environ), ENOEXEC);
	make("blank", "#!   \n", 0755);
	ERR(execve("./blank", argv, environ), ENOEXEC);
	make("directory", "#!/proc\n", 0755);
	ERR(execve("./directory", argv, environ), EACCES);
	make("plain", "hello\n", 0644);
	make("not-executable", "#!./plain\n", 0755);
	ERR(execve("./not-executable", argv, environ), EACCES);
	make("self", "#!./self\n", 0755);
	ERR(execve("./self", argv, environ), ELOOP);
	// The line must end, or the interpreter's name must, within the first 256 bytes.
	memset(text, 'x', sizeof text);
	memcpy(text, "#!/", 3);
	text[300] = 0;
	make("long", text, 0755);
	ERR(execve("./long", argv, environ), ENOEXEC);
}

TEST(file_refusals)
{
	NEED(tap_enter());
	char *argv[] = { "x", NULL };
	char name[300];
	ERR(execve("./none", argv, environ), ENOENT);
	ERR(execve("", argv, environ), ENOENT);
	ERR(execve("/proc", argv, environ), EACCES);
	make("plain", "hello\n", 0644);
	ERR(execve("./plain", argv, environ), EACCES);
	OK(chmod("plain", 0755));
	ERR(execve("./plain", argv, environ), ENOEXEC);
	ERR(execve("./plain/x", argv, environ), ENOTDIR);
	make("zero", "", 0755);
	ERR(execve("./zero", argv, environ), ENOEXEC);
	OK(symlink("loop", "loop"));
	ERR(execve("./loop", argv, environ), ELOOP);
	memset(name, 'n', sizeof name);
	name[299] = 0;
	ERR(execve(name, argv, environ), ENAMETOOLONG);
	ERR(execve("/dev/null", argv, environ), EACCES);
	ERR(syscall(SYS_execve, 8L, argv, environ), EFAULT);
	ERR(syscall(SYS_execve, "./plain", 8L, environ), EFAULT);
	char *wild[] = { "x", (char *)16, NULL };
	ERR(syscall(SYS_execve, "./plain", wild, environ), EFAULT);
	ERR(syscall(SYS_execve, "./plain", argv, wild), EFAULT);
}

TEST(busy_text)
{
	find_self();
	NEED(tap_enter());
	int from = OK(open(self, O_RDONLY)), to = OK(open("copy", O_WRONLY | O_CREAT, 0755));
	static char buffer[65536];
	for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
		EQ(write(to, buffer, n), n);
	char *argv[] = { "copy", "--show", NULL }, *none[] = { NULL };
	ERR(execve("./copy", argv, none), ETXTBSY);
	close(to);
	STREQ(output("./copy", argv, none, 3), "[--show]");
}

TEST(search_permission_of_another_user)
{
	NEED(tap_enter());
	make("root-only", "#!/bin/busybox true\n", 0700);
	OK(chmod(".", 0755));
	EXITED(CHILD(
		char *argv[] = { "x", NULL };
		OK(setuid(12345));
		ERR(execve("./root-only", argv, environ), EACCES)), 0);
	OK(mkdir("closed", 0700));
	make("closed/open", "#!/bin/busybox true\n", 0755);
	EXITED(CHILD(
		char *argv[] = { "x", NULL };
		OK(setuid(12345));
		ERR(execve("closed/open", argv, environ), EACCES)), 0);
}

TEST(argument_lengths)
{
	find_self();
	char *none[] = { NULL };
	// One string may hold 128 KiB with its terminator, all of them a quarter of the stack limit.
	char *longest = malloc(131072 + 1);
	memset(longest, 'l', 131072);
	longest[131072] = 0;
	char *argv[] = { self, "--lengths", longest, NULL };
	ERR(execve(self, argv, none), E2BIG);
	longest[131071] = 0;
	STREQ(output(self, argv, none, 0), "3 131071");
	char *many[600];
	for (int i = 0; i < 600; i++)
		many[i] = longest;
	many[0] = self;
	many[1] = "--lengths";
	many[599] = NULL;
	ERR(execve(self, many, none), E2BIG);
	many[10] = NULL;
	STREQ(output(self, many, none, 0), "10 1048568");
}

HELPER(lengths)
{
	long total = 0;
	for (int i = 1; i < argc; i++) {
		total += strlen(argv[i]);
		for (char *p = argv[i]; *p; p++)
			if (*p != 'l')
				return 1;
	}
	printf("%d %ld", argc + 1, total);
	return 0;
}

TEST(vfork_and_exec)
{
	find_self();
	char *argv[] = { self, "--show", NULL }, *none[] = { NULL };
	pid_t child = vfork();
	if (child == 0) {
		close(1);
		execve(self, argv, none);
		_exit(99);
	}
	EXITED(tap_wait(child), 3);
}

TEST(exec_by_descriptor)
{
	find_self();
	int pipefd[2];
	OK(pipe(pipefd));
	pid_t child = SPAWN(
		int fd = open(self, O_RDONLY);
		char *argv[] = { "by-fd", "--show", NULL };
		char *none[] = { NULL };
		dup2(pipefd[1], 1);
		syscall(SYS_execveat, fd, "", argv, none, 0x1000);
		_exit(errno == ENOSYS ? 77 : 99));
	close(pipefd[1]);
	char text[64] = "";
	EQ(read(pipefd[0], text, sizeof text - 1), 8);
	STREQ(text, "[--show]");
	EXITED(tap_wait(child), 3);
}
