/* The order in which the kernel comes to life. boot.S leads here: paging is on, interrupts are off, one CPU runs. */
#include "boot/bootinfo.h"
#include "cpu/idt.h"
#include "cpu/lapic.h"
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "devices/console.h"
#include "devices/irq.h"
#include "firmware/firmware.h"
#include "memory/pages.h"
#include "memory/space.h"
#include "sched/clock.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "shell/shell.h"

extern char boot_stack[];

/* The CPU that runs this is number 0; the others follow in the firmware's order. */
static void number_cpus(void) {
  u8 self = lapic_id();
  cpus[0].apic_id = self;
  cpu_count = 1;
  for (u32 i = 0; i < firmware.cpu_count; i++)
    if (firmware.apic_ids[i] != self && cpu_count < MAX_CPUS) cpus[cpu_count++].apic_id = firmware.apic_ids[i];
  for (u32 i = 0; i < cpu_count; i++) cpus[i].index = i;
}

void kernel_main(u32 magic, u32 info_physical);
void kernel_main(u32 magic, u32 info_physical) {
  cpu_count = 1;
  console_init();
  idt_init();
  cpu_setup(&cpus[0]); /* from here on a fault is a panic, not a reset */
  boot_info_read(magic, info_physical);
  paging_init();
  pages_init();
  space_init();

  firmware_read();
  if ((cpuid_features() & CPUID_APIC) == 0) panic("this CPU has no local APIC");
  lapic_map(firmware.lapic);
  lapic_enable(true);
  number_cpus();
  irq_init();
  clock_calibrate();

  sched_prepare_first((u32)boot_stack);
  console_connect();
  smp_start();
  print("serai: %u CPUs (%s), interrupts by %s, %u MiB free, TSC %u.%03u MHz, APIC timer %u.%03u MHz\n", cpu_count, firmware.source,
        irq_controller(), pages_free_count() / 256, clock_tsc_khz() / 1000, clock_tsc_khz() % 1000, clock_apic_khz() / 1000,
        clock_apic_khz() % 1000);
  if (!thread_run("shell", shell_main, NULL, NOT_PINNED)) panic("no memory for the shell");
  sched_run_idle(&cpus[0]);
}
