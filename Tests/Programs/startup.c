// What the kernel hands a program at its first instruction: the stack with arguments, environment and
// auxiliary vector, the segments with their permissions, thread-local storage, the break.
#define TAP_INLINE 1
#include "tap.h"
#include <cpuid.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

extern char **environ;
extern char _start[], etext[], edata[], end[];
static int zeroes[8192];
static int initialised = 0x5eed;
static const char constant[] = "constant";
static __thread int thread_value = 0x1234;
static __thread char thread_zeroes[64];

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static Elf64_auxv_t *vector_start(void)
{
	char **p = environ;
	while (*p)
		p++;
	return (Elf64_auxv_t *)(p + 1);
}

static Elf64_auxv_t *entry(unsigned long type)
{
	for (Elf64_auxv_t *a = vector_start(); a->a_type != AT_NULL; a++)
		if (a->a_type == type)
			return a;
	return NULL;
}

static unsigned long value(unsigned long type)
{
	Elf64_auxv_t *a = entry(type);
	return a ? a->a_un.a_val : 0;
}

TEST(argument_layout)
{
	long argc = ((long *)tap_argv)[-1];
	CHECK(argc >= 1);
	CHECK(tap_argv[argc] == NULL);
	CHECK(environ == tap_argv + argc + 1);
	// The strings lie above the vectors, each right behind the one before it.
	char *next = tap_argv[0];
	for (long i = 0; i < argc; i++) {
		CHECK(tap_argv[i] == next);
		next = tap_argv[i] + strlen(tap_argv[i]) + 1;
	}
	for (char **e = environ; *e; e++) {
		CHECK(*e == next);
		next = *e + strlen(*e) + 1;
	}
	CHECK((char *)tap_argv[0] > (char *)vector_start());
}

TEST(stack_is_aligned)
{
	EQ(((uintptr_t)tap_argv - 8) % 16, 0);
}

TEST(auxv_program_headers)
{
	NEED(entry(AT_PHDR) && entry(AT_PHNUM) && entry(AT_PHENT));
	EQ(value(AT_PHENT), sizeof(Elf64_Phdr));
	const Elf64_Phdr *ph = (const Elf64_Phdr *)value(AT_PHDR);
	bool executable = false, writable = false;
	CHECK(value(AT_PHNUM) > 0 && value(AT_PHNUM) < 64);
	for (unsigned i = 0; i < value(AT_PHNUM); i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		uintptr_t start = ph[i].p_vaddr, stop = start + ph[i].p_memsz;
		executable |= (ph[i].p_flags & PF_X) && start <= (uintptr_t)_start && (uintptr_t)_start < stop;
		writable |= (ph[i].p_flags & PF_W) && start <= (uintptr_t)&initialised && (uintptr_t)&initialised < stop;
	}
	CHECK(executable);
	CHECK(writable);
}

TEST(auxv_entry_base_flags)
{
	EQ(value(AT_ENTRY), (uintptr_t)_start);
	NEED(entry(AT_BASE));
	EQ(value(AT_BASE), 0);
	NEED(entry(AT_FLAGS));
	EQ(value(AT_FLAGS), 0);
}

TEST(auxv_numbers)
{
	EQ(value(AT_PAGESZ), 4096);
	EQ(value(AT_CLKTCK), 100);
	NEED(entry(AT_SECURE));
	EQ(value(AT_SECURE), 0);
	CHECK(entry(AT_MINSIGSTKSZ) && value(AT_MINSIGSTKSZ) >= 1024 && value(AT_MINSIGSTKSZ) < 65536);
}

TEST(auxv_identity)
{
	NEED(entry(AT_UID) && entry(AT_EUID) && entry(AT_GID) && entry(AT_EGID));
	EQ(value(AT_UID), getuid());
	EQ(value(AT_EUID), geteuid());
	EQ(value(AT_GID), getgid());
	EQ(value(AT_EGID), getegid());
}

TEST(auxv_hardware)
{
	unsigned a, b, c, d = 0;
	__get_cpuid(1, &a, &b, &c, &d);
	EQ(value(AT_HWCAP), d);
	NEED(entry(AT_PLATFORM));
	STREQ((char *)value(AT_PLATFORM), "x86_64");
	NEED(entry(AT_HWCAP2));
	// Bit 1 tells that the program may use wrfsbase and its kin.
	if (value(AT_HWCAP2) & 2) {
		unsigned long base = 0;
		__asm__ volatile("rdfsbase %0" : "=r"(base));
		CHECK(base != 0);
	}
}

TEST(auxv_random)
{
	NEED(entry(AT_RANDOM));
	const unsigned char *bytes = (const unsigned char *)value(AT_RANDOM);
	int sum = 0;
	for (int i = 0; i < 16; i++)
		sum |= bytes[i];
	CHECK(sum != 0);
}

TEST(auxv_execfn)
{
	NEED(entry(AT_EXECFN));
	const char *name = (const char *)value(AT_EXECFN);
	CHECK(name > tap_argv[0]);
	CHECK(access(name, X_OK) == 0);
	CHECK(strstr(name, "startup") != NULL);
}

TEST(auxv_vdso_when_present)
{
	if (!entry(AT_SYSINFO_EHDR))
		SKIP("no vDSO is offered");
	CHECK(memcmp((void *)value(AT_SYSINFO_EHDR), ELFMAG, SELFMAG) == 0);
}

TEST(auxv_ends_and_holds_no_duplicates)
{
	int count = 0;
	for (Elf64_auxv_t *a = vector_start(); a->a_type != AT_NULL && count < 64; a++, count++)
		for (Elf64_auxv_t *b = vector_start(); b < a; b++)
			CHECK(a->a_type != b->a_type);
	CHECK(count >= 15 && count < 64);
	EQ(getauxval(AT_PAGESZ), 4096);
}

TEST(segments_hold_their_contents)
{
	for (int i = 0; i < 8192; i++)
		if (zeroes[i] != 0) {
			CHECK(zeroes[i] == 0);
			break;
		}
	EQ(initialised, 0x5eed);
	CHECK(constant[0] == 'c');
	CHECK(&etext[0] < &edata[0] && &edata[0] <= &end[0]);
	// The tail of the last file-backed page behind .data is zero as well.
	for (char *p = end; (uintptr_t)p % 4096; p++)
		if (*p) {
			CHECK(*p == 0);
			break;
		}
}

TEST(segments_have_their_permissions)
{
	static char data_code[16] = { (char)0xc3 };
	volatile char stack_code[16] = { (char)0xc3 };
	KILLED(CHILD(BYTE(_start) = 0), SIGSEGV);
	KILLED(CHILD(BYTE(constant) = 0), SIGSEGV);
	KILLED(CHILD(((void (*)(void))tap_hide((uintptr_t)data_code))()), SIGSEGV);
	KILLED(CHILD(((void (*)(void))tap_hide((uintptr_t)stack_code))()), SIGSEGV);
	KILLED(CHILD(BYTE(8) = 0), SIGSEGV);
}

TEST(thread_local_storage)
{
	uintptr_t self;
	__asm__ volatile("movq %%fs:0, %0" : "=r"(self));
	CHECK(self != 0);
	EQ(*(uintptr_t *)self, self);
	EQ(thread_value, 0x1234);
	EQ(thread_zeroes[63], 0);
	thread_value = 7;
	EQ(thread_value, 7);
}

TEST(break_grows_zeroed_and_shrinks)
{
	uintptr_t start = syscall(SYS_brk, 0);
	CHECK(start >= (uintptr_t)end);
	EQ(syscall(SYS_brk, start + 65536), start + 65536);
	unsigned char *p = (unsigned char *)start;
	int sum = 0;
	for (int i = 0; i < 65536; i++)
		sum |= p[i];
	EQ(sum, 0);
	memset(p, 0xa5, 65536);
	uintptr_t page = (start + 4095) & ~4095UL;
	EQ(syscall(SYS_brk, page), page);
	KILLED(CHILD(BYTE(page + 4096) = 1), SIGSEGV);
	EQ(syscall(SYS_brk, page + 8192), page + 8192);
	EQ(*(unsigned char *)page, 0);
	EQ(*(unsigned char *)(page + 8191), 0);
	EQ(syscall(SYS_brk, start), start);
}

TEST(break_refuses_nonsense)
{
	uintptr_t now = syscall(SYS_brk, 0);
	EQ(syscall(SYS_brk, 1), now);
	EQ(syscall(SYS_brk, -1L), now);
	EQ(syscall(SYS_brk, 0x7ffffffff000), now);
	EQ(syscall(SYS_brk, 0x8000000000000000), now);
	EQ(syscall(SYS_brk, 0), now);
}

TEST(standard_descriptors_are_open)
{
	for (int fd = 0; fd < 3; fd++)
		OK(fcntl(fd, F_GETFD));
}

TEST(registers_across_calls)
{
	// A system call changes rax, rcx and r11 and nothing else.
	unsigned long rdi = 11, rsi = 12, rdx = 13, r8, r9, r10, rbx, r12, r13, r14, r15, result;
	__asm__ volatile(
		"movq $18, %%r8\n movq $19, %%r9\n movq $20, %%r10\n movq $21, %%rbx\n"
		"movq $22, %%r12\n movq $23, %%r13\n movq $24, %%r14\n movq $25, %%r15\n"
		"movq $39, %%rax\n syscall\n"
		"movq %%r8, %4\n movq %%r9, %5\n movq %%r10, %6\n movq %%rbx, %7\n"
		"movq %%r12, %8\n movq %%r13, %9\n movq %%r14, %10\n movq %%r15, %11\n"
		: "=&a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "=m"(r8), "=m"(r9), "=m"(r10), "=m"(rbx),
		  "=m"(r12), "=m"(r13), "=m"(r14), "=m"(r15)
		:
		: "rcx", "r8", "r9", "r10", "r11", "rbx", "r12", "r13", "r14", "r15", "memory");
	EQ(result, getpid());
	EQ(rdi, 11); EQ(rsi, 12); EQ(rdx, 13); EQ(r8, 18); EQ(r9, 19); EQ(r10, 20);
	EQ(rbx, 21); EQ(r12, 22); EQ(r13, 23); EQ(r14, 24); EQ(r15, 25);
}

TEST(unknown_calls)
{
	ERR(syscall(1023), ENOSYS);
	ERR(syscall(-2L), ENOSYS);
	ERR(syscall(0x7fffffffffffffff), ENOSYS);
	// The call number is the low 32 bits of rax.
	EQ(syscall(0x100000000L | SYS_getpid), getpid());
}
