/*
 * What the kernel and its programs agree on: system calls.
 *
 * EAX holds the number, EBX, ESI and EDI the arguments; EAX the answer, negative for an error. INT 0x80 keeps all other registers.
 * SYSENTER wants ESP in ECX and the address to go on at in EDX, and does not keep those two.
 */
#pragma once
#include <stdint.h>

enum system_call {
  CALL_NULL,        /* () does nothing */
  CALL_EXIT,        /* (status) ends the process: all its threads */
  CALL_READ,        /* (file, address, bytes) the number of bytes; 0 at the end */
  CALL_WRITE,       /* (file, address, bytes) the number of bytes */
  CALL_CLOSE,       /* (file) */
  CALL_PIPE,        /* (address of two words) the files of its two ends: read, write */
  CALL_SPAWN,       /* (address of struct spawn) the new process's number */
  CALL_WAIT,        /* (process, address for its status) for a child to end */
  CALL_MAP,         /* (bytes) address of fresh memory, all zeros */
  CALL_UNMAP,       /* (address) what one CALL_MAP gave */
  CALL_DISCARD,     /* (address, bytes) the memory is zeros again */
  CALL_CLOCK,       /* (address of a u64) nanoseconds since boot */
  CALL_SLEEP,       /* (microseconds) */
  CALL_YIELD,       /* () */
  CALL_THREAD,      /* (address, stack, argument) a new thread begins there with the argument in EBX */
  CALL_THREAD_EXIT, /* () ends the thread that calls; the last one's end is that of the process, with status 0 */
  CALL_HANDLER,     /* (address) where faults of this process go on, with vector, error and address in EAX, ECX and EDX; 0: nowhere */
  CALL_CPU,         /* () the number of the CPU that runs this */
};

enum error {
  ERROR_FAULT = -1,  /* no memory of yours */
  ERROR_BAD = -2,    /* no such call, file, child or value */
  ERROR_FULL = -3,   /* no memory, or a table is full */
  ERROR_CLOSED = -4, /* nobody reads this pipe */
};

#define SPAWN_NAME_BYTES 16
struct spawn {
  char name[SPAWN_NAME_BYTES];
  uint32_t arguments[2];    /* main()'s */
  int32_t input, output;    /* files that become the new process's 0 and 1 */
};

/* The status of a process that ended by a fault: this less the vector. */
#define STATUS_FAULT -1000

#define USER_FILES 8
