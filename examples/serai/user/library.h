/* What programs have in place of a C library. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

int main(uint32_t first, uint32_t second);

/* start.S */
int32_t call_by_interrupt(enum system_call number, uint32_t a, uint32_t b, uint32_t c);
int32_t call_by_sysenter(enum system_call number, uint32_t a, uint32_t b, uint32_t c);
void protection_faults(uint32_t count);
void fault_handler(void);
uint32_t fault_at(uint32_t address);
void fault_seen(void);
uint32_t registers_lost(uint32_t how);

/* To the console, or whatever file 1 is. */
void say(const char *text);
void exit(int status) __attribute__((noreturn));
uint64_t clock(void);
int32_t read(int file, void *to, uint32_t bytes);
/* All of them; false where the pipe ends first. */
bool read_all(int file, void *to, uint32_t bytes);
int32_t write(int file, const void *from, uint32_t bytes);
void close(int file);
bool make_pipe(int ends[2]);
int32_t spawn(const char *name, uint32_t first, uint32_t second, int input, int output);
/* The child's status; a negative error where it is none of ours. */
int32_t wait(int32_t child);
void *map(uint32_t bytes);
bool unmap(void *address);
void discard(void *address, uint32_t bytes);
void sleep_us(uint32_t us);
void yield(void);
void set_handler(void (*handler)(void));
/* `thread` must live as long as the thread. */
struct thread {
  void (*run)(void *argument);
  void *argument;
};
bool start_thread(struct thread *thread, void *stack_top);
