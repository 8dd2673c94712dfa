/* The 8259s (Intel 8259A data sheet). Even where the I/O APIC is used they must be moved: a spurious interrupt would look like an
 * exception. */
#include "devices/pic.h"
#include "cpu/segments.h"
#include "cpu/x86.h"

#define MASTER_COMMAND 0x20
#define MASTER_DATA 0x21
#define SLAVE_COMMAND 0xA0
#define SLAVE_DATA 0xA1
#define CASCADE 2 /* the slave is wired to the master's input 2 */
#define END_OF_INTERRUPT 0x20

void pic_init(void) {
  out8(MASTER_COMMAND, 0x11); /* ICW1: edge, cascaded, ICW4 follows */
  out8(SLAVE_COMMAND, 0x11);
  out8(MASTER_DATA, VECTOR_IRQ); /* ICW2: first vector */
  out8(SLAVE_DATA, VECTOR_IRQ + 8);
  out8(MASTER_DATA, 1 << CASCADE); /* ICW3 */
  out8(SLAVE_DATA, CASCADE);
  out8(MASTER_DATA, 1); /* ICW4: 8086 mode */
  out8(SLAVE_DATA, 1);
  out8(MASTER_DATA, 0xFF);
  out8(SLAVE_DATA, 0xFF);
}

void pic_unmask(u32 irq) {
  if (irq >= 8) {
    out8(SLAVE_DATA, (u8)(in8(SLAVE_DATA) & ~(1 << (irq - 8))));
    irq = CASCADE;
  }
  out8(MASTER_DATA, (u8)(in8(MASTER_DATA) & ~(1 << irq)));
}

void pic_end_of_interrupt(u32 irq) {
  if (irq >= 8) out8(SLAVE_COMMAND, END_OF_INTERRUPT);
  out8(MASTER_COMMAND, END_OF_INTERRUPT);
}
