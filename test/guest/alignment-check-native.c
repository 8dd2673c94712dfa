/* What alignment-check.asm says of user mode, asked of the processor that this runs on: Linux sets CR0.AM, so EFLAGS.AC is enough.
 *
 *   gcc -O1 -o alignment-check-native alignment-check-native.c && ./alignment-check-native      (or with -m32)
 *
 * Prints a line for each access, and ends with status 0 where all are as the guest program expects. The kernel turns #AC into SIGBUS
 * with code BUS_ADRALN. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static unsigned char data[64] __attribute__((aligned(64)));
static sigjmp_buf back;
static volatile int raised;

#ifdef __x86_64__
#define SET "pushfq\n\torq $0x40000, (%%rsp)\n\tpopfq\n\t"
#define CLEAR "pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq\n\t"
/* The red zone of the function may lie under the stack pointer. */
#define ENTER "leaq -128(%%rsp), %%rsp\n\t"
#define LEAVE "leaq 128(%%rsp), %%rsp\n\t"
#else
#define SET "pushfl\n\torl $0x40000, (%%esp)\n\tpopfl\n\t"
#define CLEAR "pushfl\n\tandl $~0x40000, (%%esp)\n\tpopfl\n\t"
#define ENTER
#define LEAVE
#endif

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	/* It starts with AC as that was. */
	__asm__ volatile(ENTER CLEAR LEAVE : : : "memory", "cc");
	(void)number;
	(void)context;
	raised = info->si_code == BUS_ADRALN ? 1 : -1;
	siglongjmp(back, 1);
}

/* One access with AC set for that instruction alone; 1 where it raised #AC. The handler clears AC where it did. */
#define ACCESS(instruction, offset)                                                                       \
	({                                                                                                \
		raised = 0;                                                                               \
		if (sigsetjmp(back, 1) == 0)                                                              \
			__asm__ volatile(ENTER SET instruction "\n\t" CLEAR LEAVE                         \
					 : : "r"(data + (offset)) : "eax", "memory", "cc");               \
		raised;                                                                                   \
	})

static int failures;

static void expect(const char *what, int expected, int found)
{
	printf("%-32s %s\n", what, found == 0 ? "passes" : found == 1 ? "raises #AC" : "raises SIGBUS of another kind");
	failures += found != expected;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	expect("byte load at +1", 0, ACCESS("movb (%0), %%al", 1));
	expect("word load at +2", 0, ACCESS("movw (%0), %%ax", 2));
	expect("dword load at +4", 0, ACCESS("movl (%0), %%eax", 4));
	expect("dword load at +2", 1, ACCESS("movl (%0), %%eax", 2));
	expect("word store at +1", 1, ACCESS("movw %%ax, (%0)", 1));
	expect("dword read-modify-write at +7", 1, ACCESS("addl %%eax, (%0)", 7));
	return failures != 0;
}
