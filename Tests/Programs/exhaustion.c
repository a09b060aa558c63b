// Programs that take all there is of processes and descriptors: they are refused, others live on.
#include "tap.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { BOMBER = 50001 };

TEST(fork_bomb_under_a_limit)
{
	int *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t bomb = SPAWN(
		struct rlimit limit = { 40, 40 };
		setpgid(0, 0);
		OK(setrlimit(RLIMIT_NPROC, &limit));
		OK(setuid(BOMBER));
		for (;;) {
			pid_t p = fork();
			if (p == 0)
				__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
			else if (p < 0) {
				if (errno != EAGAIN)
					__atomic_add_fetch(count + 1, 1, __ATOMIC_SEQ_CST);
				tap_pause(1);
			}
		});
	long long end = tap_now() + 10000000000LL;
	while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < 39 && tap_now() < end)
		tap_pause(2);
	tap_pause(50);
	// The limit counts the first one too.
	EQ(*count, 39);
	EQ(count[1], 0);
	tap_all_is_well();
	// A pass over the group may miss one that was being made; the next does not.
	for (int i = 0; i < 100 && kill(-bomb, SIGKILL) == 0; i++)
		while (waitpid(-1, NULL, WNOHANG) > 0) {}
	while (waitpid(-1, NULL, 0) > 0) {}
	ERR(kill(-bomb, 0), ESRCH);
	// That user may begin again.
	EXITED(CHILD(OK(setuid(BOMBER)); EXITED(CHILD(_exit(0)), 0)), 0);
}

static void *idle(void *argument) { for (;;) pause(); return argument; }

TEST(threads_under_a_limit)
{
	EXITED(CHILD(
		struct rlimit limit = { 20, 20 };
		OK(setrlimit(RLIMIT_NPROC, &limit));
		OK(setuid(BOMBER + 1));
		pthread_t t;
		int made = 0;
		while (made < 100 && pthread_create(&t, NULL, idle, NULL) == 0)
			made++;
		EQ(made, 19)), 0);
}

TEST(descriptors_to_the_limit)
{
	EXITED(CHILD(
		int n = 0;
		int p[2];
		while (pipe(p) == 0)
			n++;
		EQ(errno, EMFILE);
		CHECK(n > 10);
		EXITED(CHILD(_exit(0)), 0)), 0);
	tap_all_is_well();
}
