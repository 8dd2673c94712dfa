/* The local APIC of the CPU that calls (SDM vol. 3, chapter 11): identity, IPIs, timer. */
#pragma once
#include "lib/types.h"

/* Maps the registers; before any other function. */
void lapic_map(u32 physical);
/* On each CPU, once. */
void lapic_enable(bool is_first);
u8 lapic_id(void);
void lapic_end_of_interrupt(void);

void lapic_send(u8 apic_id, u8 vector);
void lapic_send_init(u8 apic_id);
/* The CPU begins in real mode at `page` * 4096. */
void lapic_send_startup(u8 apic_id, u8 page);
/* An NMI to all others. */
void lapic_stop_others(void);

/* Counts down from `count` once, then interrupts; 0 stops it. */
void lapic_timer_start(u32 count);
u32 lapic_timer_count(void);
