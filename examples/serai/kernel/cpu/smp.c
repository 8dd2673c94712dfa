/*
 * Starts the other CPUs ("application processors") by INIT and start-up IPIs (SDM vol. 3, 9.4). A CPU begins in real mode, so its
 * first code, boot/trampoline.S, is copied below 1 MiB. Both the code and the word that tells it its stack are there once, so
 * CPUs are started one after the other; only the pause behind INIT is shared by all.
 */
#include "cpu/smp.h"
#include "boot/trampoline.h"
#include "cpu/lapic.h"
#include "cpu/percpu.h"
#include "lib/print.h"
#include "lib/string.h"
#include "memory/paging.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"

#define INIT_NS (10 * NS_PER_MS)
#define SECOND_STARTUP_NS (200 * NS_PER_US)
#define GIVE_UP_NS (5ull * NS_PER_S)

extern char trampoline_start[], trampoline_end[];

/* What trampoline.S reads: see there. */
volatile u32 trampoline_stack;
struct cpu *volatile trampoline_cpu;

static bool wait_online(struct cpu *cpu, u64 ns) {
  u64 until = clock_ns() + ns;
  while (!cpu->online && clock_ns() < until) pause();
  return cpu->online;
}

/* The new CPU's first C code; paging is on, with the boot page directory. */
void smp_enter(struct cpu *cpu);
void smp_enter(struct cpu *cpu) {
  write_cr3(kernel_directory_physical());
  cpu_setup(cpu);
  lapic_enable(false);
  sched_run_idle(cpu);
}

void smp_start(void) {
  memcpy(linear(TRAMPOLINE), trampoline_start, (size_t)(trampoline_end - trampoline_start));
  for (u32 i = 1; i < cpu_count; i++) lapic_send_init(cpus[i].apic_id);
  clock_wait(INIT_NS);
  for (u32 i = 1; i < cpu_count; i++) {
    struct cpu *cpu = &cpus[i];
    sched_prepare(cpu);
    trampoline_cpu = cpu;
    trampoline_stack = cpu->idle->stack + STACK_BYTES;
    lapic_send_startup(cpu->apic_id, TRAMPOLINE / 4096);
    if (wait_online(cpu, SECOND_STARTUP_NS)) continue;
    lapic_send_startup(cpu->apic_id, TRAMPOLINE / 4096);
    if (!wait_online(cpu, GIVE_UP_NS)) {
      print("CPU %u (APIC %u) does not start; going on with %u CPUs\n", i, cpu->apic_id, i);
      cpu_count = i; /* it may still wake up and take the next one's stack */
      return;
    }
  }
}
