// The init of `./apus bench boot`: its very first instruction reads the time-stamp counter, which under
// QEMU's -icount shift=0 is the number of instructions executed. It prints that number, with the time since
// the kernel's clock started, and powers off. It needs no library, so that nothing runs before it.
#include <asm/unistd_64.h>
#include <linux/reboot.h>

__asm__(".globl _start\n"
	"_start: rdtsc\n"
	"shl $32, %rdx\n"
	"or %rdx, %rax\n"
	"mov %rax, %rdi\n"
	"and $-16, %rsp\n"
	"call run\n"
	"hlt\n");

static long call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static char line[128];
static int length;

static void put(const char *text)
{
	while (*text)
		line[length++] = *text++;
}

static void put_number(unsigned long value)
{
	char digits[20];
	int count = 0;
	do
		digits[count++] = '0' + value % 10;
	while (value /= 10);
	while (count)
		line[length++] = digits[--count];
}

// The console: what the kernel opened, or the serial line where it could open nothing because the ramdisk
// holds no device files and the kernel mounts none.
static long console(void)
{
	if (call(__NR_write, 1, (long)line, 0, 0, 0) == 0)
		return 1;
	call(__NR_mkdir, (long)"/dev", 0755, 0, 0, 0);
	call(__NR_mount, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0);
	return call(__NR_open, (long)"/dev/ttyS0", 1, 0, 0, 0);
}

__attribute__((used)) void run(unsigned long instructions)
{
	enum { clock_boottime = 7 };
	long time[2] = { 0, 0 };
	call(__NR_clock_gettime, clock_boottime, (long)time, 0, 0, 0);
	put("bench: init TSC=");
	put_number(instructions);
	put(" boottime=");
	put_number(time[0] * 1000000000UL + time[1]);
	put("\n");
	call(__NR_write, console(), (long)line, length, 0, 0);
	call(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0, 0);
	call(__NR_exit_group, 1, 0, 0, 0, 0);
}
