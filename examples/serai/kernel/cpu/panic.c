/*
 * A panic: says what is wrong, dumps registers, and stops all CPUs. The other CPUs may have interrupts off, perhaps because they
 * wait for a lock of the CPU that panics, so they are stopped by an NMI. Nothing in here waits for a lock.
 */
#include "cpu/panic.h"
#include "cpu/lapic.h"
#include "cpu/percpu.h"
#include "devices/console.h"
#include "sched/thread.h"

static u32 panicking;

void panic_stop(void) {
  for (;;) {
    interrupts_off();
    halt();
  }
}

/* The first CPU goes on, others that panic at the same time are quiet: their dump would be mixed with the first. */
static void begin(void) {
  interrupts_off();
  if (__atomic_exchange_n(&panicking, 1, __ATOMIC_SEQ_CST) != 0) panic_stop();
  lapic_stop_others();
  console_panics();
}

static void say_where(void) {
  struct cpu *cpu = this_cpu();
  print(" (CPU %u, thread '%s')\n", cpu->index, cpu->current != NULL ? cpu->current->name : "none");
}

static void dump_control_registers(void) {
  print("  cr0 %08x  cr2 %08x  cr3 %08x  cr4 %08x\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

static void end(void) {
  print("panic: all CPUs are stopped\n");
  panic_stop();
}

void panic(const char *format, ...) {
  char text[PRINT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  format_text(text, sizeof text, format, arguments);
  va_end(arguments);
  u32 esp, ebp, ebx, esi, edi;
  __asm__ volatile("movl %%esp, %0; movl %%ebp, %1; movl %%ebx, %2" : "=m"(esp), "=m"(ebp), "=m"(ebx));
  __asm__ volatile("movl %%esi, %0; movl %%edi, %1" : "=m"(esi), "=m"(edi));
  begin();
  print("\npanic: %s", text);
  say_where();
  print("  ebx %08x  esi %08x  edi %08x  ebp %08x  esp %08x\n", ebx, esi, edi, ebp, esp);
  dump_control_registers();
  end();
  __builtin_unreachable();
}

void panic_with(const struct frame *f, u32 address, const char *what) {
  begin();
  bool user = frame_is_user(f);
  print("\npanic: %s: vector %u, error code 0x%x, address %08x", what, f->vector, f->error, address);
  say_where();
  print("  eax %08x  ebx %08x  ecx %08x  edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
  /* Without a change of ring the CPU pushes no ESP: the interrupted stack goes on behind the frame. */
  print("  esi %08x  edi %08x  ebp %08x  esp %08x\n", f->esi, f->edi, f->ebp, user ? f->esp : (u32)&f->esp);
  print("  eip %08x  eflags %08x  cs %04x  ds %04x  es %04x  fs %04x\n", f->eip, f->eflags, f->cs & 0xffff, f->ds & 0xffff,
        f->es & 0xffff, f->fs & 0xffff);
  dump_control_registers();
  end();
  __builtin_unreachable();
}
