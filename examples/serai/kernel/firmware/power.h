/* Switching the machine off. */
#pragma once
void power_off(void) __attribute__((noreturn));
