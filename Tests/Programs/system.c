// The machine as a whole: names, memory, mounts, the refusal to restart; `int $0x80` from 64-bit code;
// the bases of FS and GS.
#include "tap.h"
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

TEST(names)
{
	struct utsname u;
	OK(uname(&u));
	STREQ(u.sysname, "Linux");
	STREQ(u.machine, "x86_64");
	CHECK(atoi(u.release) >= 4);
	CHECK(u.version[0] == '#');
	ERR(syscall(SYS_uname, 8L), EFAULT);
	char name[65];
	OK(gethostname(name, sizeof name));
	STREQ(name, u.nodename);
	OK(sethostname(name, strlen(name)));
	ERR(sethostname(name, 65), EINVAL);
	ERR(syscall(SYS_sethostname, 8L, 5L), EFAULT);
	EXITED(CHILD(OK(setuid(1000)); ERR(sethostname(name, 1), EPERM)), 0);
}

TEST(information)
{
	struct sysinfo s;
	memset(&s, 0, sizeof s);
	OK(sysinfo(&s));
	CHECK(s.mem_unit >= 1 && s.totalram * s.mem_unit > 16UL << 20);
	CHECK(s.freeram > 0 && s.freeram < s.totalram);
	CHECK(s.procs > 0 && s.uptime > 0);
	ERR(syscall(SYS_sysinfo, 8L), EFAULT);
}

TEST(restart_is_refused)
{
	ERR(syscall(SYS_reboot, 0x1234, 0x28121969, 0x4321fedc, NULL), EINVAL);
	ERR(syscall(SYS_reboot, 0xfee1dead, 0x1234, 0x4321fedc, NULL), EINVAL);
	ERR(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0x99999999, NULL), EINVAL);
	EXITED(CHILD(OK(setuid(1000)); ERR(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0, NULL), EPERM)), 0);
}

TEST(mounting)
{
	NEED(tap_enter());
	OK(chmod(".", 0755));
	OK(mkdir("m", 0755));
	OK(mkdir("m/below", 0755));
	OK(mount("none", "m", "tmpfs", 0, NULL));
	ERR(access("m/below", F_OK), ENOENT);
	int fd = OK(open("m/file", O_RDWR | O_CREAT, 0600));
	ERR(umount("m"), EBUSY);
	close(fd);
	ERR(rmdir("m"), EBUSY);
	ERR(link("m/file", "file"), EXDEV);
	ERR(rename("m/file", "file"), EXDEV);
	OK(chdir("m"));
	OK(access("../m/file", F_OK));
	OK(chdir(".."));
	OK(umount("m"));
	OK(access("m/below", F_OK));
	ERR(access("m/file", F_OK), ENOENT);
	ERR(umount("m"), EINVAL);
	ERR(umount("none"), ENOENT);
	ERR(mount("none", "m", "nosuchfs", 0, NULL), ENODEV);
	ERR(mount("none", "nowhere", "tmpfs", 0, NULL), ENOENT);
	ERR(mount("none", "/proc/version", "tmpfs", 0, NULL), ENOTDIR);
	OK(mount("none", "m", "proc", 0, NULL));
	OK(access("m/self/stat", F_OK));
	OK(umount2("m", MNT_DETACH));
	EXITED(CHILD(OK(setuid(1000)); ERR(mount("none", "m", "tmpfs", 0, NULL), EPERM); ERR(umount("/proc"), EPERM)), 0);
}

// A 32-bit call from 64-bit code: numbers and structures are those of i386, arguments are cut to 32 bits.
static long old_call(unsigned long number, unsigned long b, unsigned long c, unsigned long d)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(b), "c"(c), "d"(d)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

TEST(old_calls)
{
	static const char message[] = "through int 0x80";
	char text[32] = "";
	int p[2];
	EQ(old_call(20, 0, 0, 0), getpid());
	EQ(old_call(64, 0, 0, 0), getppid());
	EQ(old_call(20 | 0xffffffff00000000, 0, 0, 0), getpid());
	EQ((int)old_call(9999, 0, 0, 0), -ENOSYS);
	EQ((int)old_call(6, 999, 0, 0), -EBADF);
	OK(pipe(p));
	// This program lies below 4 GiB, so its data can be named.
	CHECK((uintptr_t)message < 1UL << 32);
	EQ(old_call(4, p[1], (uintptr_t)message, 16), 16);
	EQ(read(p[0], text, 31), 16);
	STREQ(text, message);
	EQ((int)old_call(4, p[1], 8, 16), -EFAULT);
	EXITED(CHILD(old_call(1, 77, 0, 0)), 77);
	EXITED(CHILD(old_call(252, 78, 0, 0)), 78);
	time_t now = time(NULL);
	CHECK(old_call(13, 0, 0, 0) >= now);
	EQ((int)old_call(37, 999999999, 0, 0), -ESRCH);
	pid_t child = SPAWN(pause());
	EQ(old_call(37, child, SIGTERM, 0), 0);
	KILLED(tap_wait(child), SIGTERM);
}

TEST(old_calls_keep_the_registers)
{
	unsigned long rbx = 1, rcx = 2, rdx = 3, rsi = 4, rdi = 5, r12, r13, r14, r15, rax = 20;
	__asm__ volatile(
		"movq $12, %%r12\n movq $13, %%r13\n movq $14, %%r14\n movq $15, %%r15\n int $0x80\n"
		"movq %%r12, %6\n movq %%r13, %7\n movq %%r14, %8\n movq %%r15, %9"
		: "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx), "+S"(rsi), "+D"(rdi), "=m"(r12), "=m"(r13), "=m"(r14), "=m"(r15)
		: : "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	EQ(rax, getpid());
	EQ(rbx, 1); EQ(rcx, 2); EQ(rdx, 3); EQ(rsi, 4); EQ(rdi, 5);
	EQ(r12, 12); EQ(r13, 13); EQ(r14, 14); EQ(r15, 15);
}

enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };

TEST(segment_bases)
{
	unsigned long fs = 0, gs = 99, seen;
	static unsigned long cell = 0x1122334455667788;
	OK(syscall(SYS_arch_prctl, GET_FS, &fs));
	__asm__("movq %%fs:0, %0" : "=r"(seen));
	EQ(seen, fs);
	OK(syscall(SYS_arch_prctl, SET_GS, &cell));
	OK(syscall(SYS_arch_prctl, GET_GS, &gs));
	EQ(gs, (unsigned long)&cell);
	// It stays over calls, interrupts and other processes.
	for (int i = 0; i < 50; i++) {
		sched_yield();
		__asm__ volatile("movq %%gs:0, %0" : "=r"(seen));
		EQ(seen, cell);
	}
	EXITED(CHILD(__asm__ volatile("movq %%gs:0, %0" : "=r"(seen)); EQ(seen, cell);
		     OK(syscall(SYS_arch_prctl, SET_GS, 0x1000)); sched_yield();
		     OK(syscall(SYS_arch_prctl, GET_GS, &gs)); EQ(gs, 0x1000)), 0);
	__asm__ volatile("movq %%gs:0, %0" : "=r"(seen));
	EQ(seen, cell);
	ERR(syscall(SYS_arch_prctl, SET_GS, 0xffff800000000000), EPERM);
	ERR(syscall(SYS_arch_prctl, SET_FS, 0x8000000000000000), EPERM);
	ERR(syscall(SYS_arch_prctl, GET_GS, 8L), EFAULT);
	ERR(syscall(SYS_arch_prctl, 0x9999, 0L), EINVAL);
}

TEST(segment_bases_by_instruction)
{
	if (!(getauxval(AT_HWCAP2) & 2))
		SKIP("wrgsbase is not offered");
	static unsigned long cell = 0x99;
	unsigned long seen, gs;
	__asm__ volatile("wrgsbase %0" : : "r"(&cell));
	for (int i = 0; i < 50; i++) {
		sched_yield();
		tap_pause(1);
		__asm__ volatile("movq %%gs:0, %0" : "=r"(seen));
		EQ(seen, cell);
	}
	OK(syscall(SYS_arch_prctl, GET_GS, &gs));
	EQ(gs, (unsigned long)&cell);
	// Any canonical address may be written, a kernel address too; it gives no access.
	KILLED(CHILD(__asm__ volatile("wrgsbase %0\n movq %%gs:0, %%rax" : : "r"(0xffffffff81000000) : "rax")), SIGSEGV);
	EXITED(CHILD(__asm__ volatile("wrgsbase %0" : : "r"(0xffffffff81000000)); sched_yield(); tap_pause(2);
		     __asm__ volatile("rdgsbase %0" : "=r"(gs)); EQ(gs, 0xffffffff81000000)), 0);
}

TEST(selectors)
{
	unsigned short cs, ss, ds;
	__asm__ volatile("movw %%cs, %0\n movw %%ss, %1\n movw %%ds, %2" : "=r"(cs), "=r"(ss), "=r"(ds));
	EQ(cs, 0x33);
	EQ(ss, 0x2b);
	CHECK(ds == 0 || ds == 0x2b);
	// A null selector in DS and ES is harmless in 64-bit code and stays.
	__asm__ volatile("movw %0, %%ds\n movw %0, %%es" : : "r"((short)0));
	sched_yield();
	tap_pause(2);
	__asm__ volatile("movw %%ds, %0" : "=r"(ds));
	EQ(ds, 0);
}
