/* Interrupts of devices, by their ISA number, whichever controller delivers them. */
#pragma once
#include "lib/types.h"

void irq_init(void);
/* From now on `handler` is called for the interrupt, on the first CPU. */
void irq_connect(u32 irq, void (*handler)(void));
void irq_handle(u32 irq);
/* For people: "I/O APIC" or "8259". */
const char *irq_controller(void);
