/* Typed bytes wait in a ring until somebody reads them. */
#include "devices/console.h"
#include "devices/uart.h"
#include "lib/lock.h"
#include "sched/wait.h"

#define RING_BYTES 1024 /* a power of two, so that positions may run over */
#define CONTROL_C 3
#define CHUNK_BYTES 128

static struct spinlock output_lock;
static bool panics;

static struct {
  struct spinlock lock;
  struct wait_queue readers;
  u8 bytes[RING_BYTES];
  u32 written, read;
} input;
static bool interrupted;

void console_init(void) { uart_init(); }

/* In an interrupt handler. What finds no place is lost. */
static void take(u8 byte) {
  if (byte == CONTROL_C) interrupted = true;
  u32 flags = lock(&input.lock);
  if (input.written - input.read < RING_BYTES) input.bytes[input.written++ % RING_BYTES] = byte;
  wake_one(&input.readers);
  unlock(&input.lock, flags);
}

void console_connect(void) { uart_connect(take); }

u8 console_read(void) {
  u32 flags = lock(&input.lock);
  while (input.written == input.read) wait_on(&input.readers, &input.lock);
  u8 byte = input.bytes[input.read++ % RING_BYTES];
  unlock(&input.lock, flags);
  return byte;
}

bool console_interrupted(void) { return __atomic_exchange_n(&interrupted, false, __ATOMIC_RELAXED); }

static void write_chunks(const char *text, size_t length) {
  char chunk[CHUNK_BYTES];
  size_t used = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n') chunk[used++] = '\r';
    chunk[used++] = text[i];
    if (used >= CHUNK_BYTES - 1 || i + 1 == length) {
      uart_write(chunk, used);
      used = 0;
    }
  }
}

void console_write(const char *text, size_t length) {
  if (panics) return write_chunks(text, length);
  u32 flags = lock(&output_lock);
  write_chunks(text, length);
  unlock(&output_lock, flags);
}

void console_panics(void) { panics = true; }
