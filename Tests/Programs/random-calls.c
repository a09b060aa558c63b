// Random system calls with random arguments, from processes with little to lose: whatever happens to
// them, the kernel and this process live. The seeds are fixed, so a failing round can be run again:
// `random-calls --round SEED COUNT`.
#include "tap.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

enum { CALLS = 400, ROUNDS = 24 };

static uint64_t state;
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1d;
}

// What would harm others, stop the machine, or end the round at once.
static bool excluded(long n)
{
	static const short no[] = { SYS_exit, SYS_exit_group, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,
		SYS_rt_tgsigqueueinfo, SYS_fork, SYS_vfork, SYS_clone, 435 /* clone3 */, SYS_ptrace, SYS_reboot, SYS_rt_sigreturn,
		SYS_process_vm_writev, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_swapon, SYS_swapoff, SYS_sethostname,
		SYS_setdomainname, SYS_iopl, SYS_ioperm, SYS_init_module, SYS_delete_module, SYS_finit_module, SYS_kexec_load,
		SYS_kexec_file_load, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_vhangup, SYS_acct,
		SYS_syslog, SYS_setpriority, SYS_ioprio_set, SYS_sched_setaffinity, SYS_sched_setparam, SYS_sched_setscheduler,
		SYS_sched_setattr, SYS_prlimit64, SYS_migrate_pages, SYS_move_pages, SYS_shmget, SYS_msgget, SYS_semget, SYS_mq_open,
		SYS_add_key, SYS_keyctl, SYS_request_key, SYS_quotactl, SYS_bpf, SYS_sync, SYS_syncfs, SYS_seccomp, SYS_unshare,
		SYS_setns, 424 /* pidfd_send_signal */, 442 /* mount_setattr */, 443 /* quotactl_fd */, SYS_setuid, SYS_setgid,
		SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid };
	for (unsigned i = 0; i < sizeof no / sizeof *no; i++)
		if (no[i] == n)
			return true;
	return false;
}

static char *page;

static long argument(void)
{
	static const char *const names[] = { "a", "b", "d/x", ".", "..", "", "/proc/self/stat", "/dev/null", "link", "no/where" };
	switch (next() % 16) {
	case 0: return 0;
	case 1: return -1;
	case 2: case 3: return next() % 12;
	case 4: return next() % 4096;
	case 5: return 1L << next() % 64;
	case 6: return next();
	case 7: case 8: return (long)page + next() % 4096;
	case 9: return (long)page + 4096 - next() % 16;
	case 10: return (long)names[next() % 10];
	case 11: return 0xffff800000000000 + next() % (1L << 40);
	case 12: return 0x400000000000 + next() % (1L << 46);
	case 13: return (long)&state & ~4095L;
	case 14: return -(long)(next() % 4096);
	default: return next() % 0x100000000;
	}
}

static void ring(int sig) { (void)sig; }

static void round_of_calls(uint64_t seed, int calls)
{
	struct rlimit limit = { 128 << 20, 128 << 20 };
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction action = { .sa_handler = ring };
	state = seed * 0x9e3779b97f4a7c15 + 1;
	setpgid(0, 0);
	setrlimit(RLIMIT_AS, &limit);
	limit = (struct rlimit){ 1 << 20, 1 << 20 };
	setrlimit(RLIMIT_FSIZE, &limit);
	limit = (struct rlimit){ 2, 2 };
	setrlimit(RLIMIT_CPU, &limit);
	limit = (struct rlimit){ 0, 0 };
	setrlimit(RLIMIT_CORE, &limit);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 4096; i++)
		page[i] = next();
	munmap(page + 4096, 4096);
	// No descriptor leads to the test's output.
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	open("/dev/null", O_RDWR);
	open("a", O_RDWR | O_CREAT, 0600);
	open("/dev/zero", O_RDWR);
	open(".", O_RDONLY);
	int p[2];
	if (pipe(p) < 0)
		_exit(3);
	open("/proc/self/stat", O_RDONLY);
	setuid(54321);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < calls; i++) {
		long n = next() % 8 == 0 ? (long)(next() % 4096) : (long)(next() % 450);
		long a = argument(), b = argument(), c = argument(), d = argument(), e = argument(), f = argument();
		// An inherited signal action or mask could hold the clock's signal back for ever.
		if (excluded(n) || n == SYS_rt_sigprocmask || n == SYS_rt_sigaction || n == SYS_setitimer || n == SYS_alarm)
			continue;
		if (n == SYS_prctl && a == 22)
			continue;
		syscall(n, a, b, c, d, e, f);
	}
	_exit(0);
}

HELPER(round)
{
	if (argc > 2)
		round_of_calls(strtoull(argv[1], NULL, 0), atoi(argv[2]));
	return 1;
}

// Runs a round; kills it when it takes too long.
static void one_round(uint64_t seed, int calls)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0)
		round_of_calls(seed, calls);
	long long end = tap_now() + 4000000000LL;
	while (waitpid(child, &status, WNOHANG) == 0) {
		tap_pause(2);
		if (tap_now() > end) {
			kill(child, SIGKILL);
			tap_wait(child);
			break;
		}
	}
}

static void rounds(uint64_t first)
{
	NEED(tap_enter());
	OK(chmod(".", 0777));
	OK(mkdir("d", 0777));
	OK(symlink("d", "link"));
	for (int i = 0; i < ROUNDS; i++)
		one_round(first + i, CALLS);
	// The kernel still does what it should.
	int p[2];
	char c = 0;
	OK(pipe(p));
	EXITED(CHILD(EQ(write(p[1], "x", 1), 1)), 0);
	EQ(read(p[0], &c, 1), 1);
	EQ(c, 'x');
	EXITED(CHILD(execl("/proc/self/exe", "random-calls", "--fine", NULL)), 42);
}

HELPER(fine)
{
	return 42;
}

TEST(first_seeds)
{
	rounds(1);
}

TEST(second_seeds)
{
	rounds(1000001);
}

TEST(seeds_of_the_day)
{
	// Different every time; the note tells what to ask for again.
	uint64_t seed;
	NEED(syscall(SYS_getrandom, &seed, 8L, 0L) == 8);
	seed >>= 16;
	tap_note("seeds from %llu on, %d calls each", (unsigned long long)seed, CALLS);
	rounds(seed);
}
