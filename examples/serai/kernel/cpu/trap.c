/* Interrupts, exceptions and system calls: who handles which vector, and what is done on the way out. */
#include "cpu/trap.h"
#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "devices/irq.h"
#include "memory/space.h"
#include "memory/usercopy.h"
#include "process/process.h"
#include "process/syscall.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/timer.h"

/* Page-fault error code (SDM vol. 3, 4.7). */
#define FAULT_WRITE 2u

/* A fault of ring 3: its process has said where to go on (the handler finds vector, error and address in EAX, ECX and EDX), or ends.
 * The old EIP is overwritten, not read: a handler that wants to come back knows where to. */
static void fault_of_user(struct frame *frame, u32 address) {
  struct process *process = current()->process;
  if (process->handler == 0) process_fault(frame, address);
  frame->eax = frame->vector;
  frame->ecx = frame->error;
  frame->edx = address;
  frame->eip = process->handler;
}

/* A fault of ring 0 is a bug, but for the instructions that the exception table names: those of copies from and to user memory. */
static void fault_of_kernel(struct frame *frame, u32 address) {
  u32 mend = usercopy_mend(frame->eip);
  if (mend == 0) panic_with(frame, address, "exception in the kernel");
  frame->eip = mend;
}

static void page_fault(struct frame *frame) {
  u32 address = read_cr2(); /* first of all: another page fault would overwrite it */
  this_cpu()->counters.page_faults++;
  bool user = frame_is_user(frame);
  if (!user && usercopy_mend(frame->eip) == 0) panic_with(frame, address, "page fault in the kernel");
  interrupts_restore(frame->eflags);
  if (address < KERNEL_BASE && space_fault(current()->space, address, (frame->error & FAULT_WRITE) != 0)) return;
  if (user)
    fault_of_user(frame, address);
  else
    fault_of_kernel(frame, address);
}

static void exception(struct frame *frame) {
  if (frame->vector == VECTOR_NMI) panic_stop(); /* another CPU panics; see cpu/panic.c */
  if (frame->vector == VECTOR_PAGE_FAULT) return page_fault(frame);
  if (frame->vector == VECTOR_PROTECTION) this_cpu()->counters.protection_faults++;
  if (!frame_is_user(frame)) return fault_of_kernel(frame, 0);
  interrupts_restore(frame->eflags);
  fault_of_user(frame, 0);
}

static void interrupt(u32 vector) {
  struct cpu *cpu = this_cpu();
  cpu->counters.interrupts++;
  if (vector >= VECTOR_IRQ && vector < VECTOR_IRQ + 16) return irq_handle(vector - VECTOR_IRQ);
  if (vector == VECTOR_SPURIOUS) return; /* wants no end of interrupt (SDM vol. 3, 11.9) */
  lapic_end_of_interrupt();
  switch (vector) {
  case VECTOR_TIMER:
    cpu->counters.timers++;
    timer_interrupt();
    break;
  case VECTOR_RESCHEDULE:
    cpu->counters.ipis++;
    sched_interrupt();
    break;
  case VECTOR_CALL:
  case VECTOR_SHOOTDOWN:
    cpu->counters.ipis++;
    ipi_poll();
    break;
  case VECTOR_SELF_TEST:
    cpu->counters.ipis++;
    ipi_self_tests++;
    break;
  default:
    print("CPU %u: interrupt with vector 0x%x, which nobody uses\n", cpu->index, vector);
  }
}

void trap(struct frame *frame) {
  if (frame->vector == VECTOR_SYSCALL) {
    this_cpu()->counters.system_calls++;
    interrupts_on();
    system_call(frame);
    interrupts_off();
  } else if (frame->vector < VECTOR_IRQ) {
    exception(frame);
    interrupts_off();
  } else {
    interrupt(frame->vector);
  }
  /* Code that had interrupts off when it trapped must not be preempted. */
  if ((frame->eflags & EFLAGS_IF) == 0) return;
  while (this_cpu()->need_resched) schedule();
  if (frame_is_user(frame) && current()->process->dying) process_leave();
}
