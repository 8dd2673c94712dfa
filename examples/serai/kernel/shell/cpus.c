/* `cpus`: the CPUs, and how often what happened on them. */
#include "cpu/percpu.h"
#include "lib/math.h"
#include "lib/print.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "shell/commands.h"

bool command_cpus(u32 count, char **words) {
  (void)words;
  if (count != 1) return false;
  print("CPU APIC  interrupts     timer       IPIs   switches  faults     calls  steals\n");
  for (u32 i = 0; i < cpu_count; i++) {
    const struct cpu_counters *c = &cpus[i].counters;
    print("%3u %4u %11u %9u %10u %10u %7u %9u %7u%s\n", i, cpus[i].apic_id, c->interrupts, c->timers, c->ipis, c->switches,
          c->page_faults + c->protection_faults, c->system_calls, c->steals, cpus[i].online ? "" : "  off");
  }
  print("%u CPUs online\n", cpu_count);
  return true;
}
