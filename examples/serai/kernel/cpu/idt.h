/* The interrupt descriptor table, one for all CPUs. */
#pragma once
void idt_init(void);
void idt_load(void);
