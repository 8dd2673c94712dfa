/* System calls by their names. */
#include "library.h"

void thread_start(void);
void thread_main(struct thread *thread);

static uint32_t length_of(const char *text) {
  uint32_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

void exit(int status) {
  call_by_sysenter(CALL_EXIT, (uint32_t)status, 0, 0);
  for (;;) {
  }
}

uint64_t clock(void) {
  uint64_t now;
  call_by_sysenter(CALL_CLOCK, (uint32_t)&now, 0, 0);
  return now;
}

int32_t read(int file, void *to, uint32_t bytes) { return call_by_sysenter(CALL_READ, (uint32_t)file, (uint32_t)to, bytes); }

bool read_all(int file, void *to, uint32_t bytes) {
  for (uint32_t done = 0; done < bytes;) {
    int32_t count = read(file, (char *)to + done, bytes - done);
    if (count <= 0) return false;
    done += (uint32_t)count;
  }
  return true;
}

int32_t write(int file, const void *from, uint32_t bytes) { return call_by_sysenter(CALL_WRITE, (uint32_t)file, (uint32_t)from, bytes); }
void say(const char *text) { write(1, text, length_of(text)); }
void close(int file) { call_by_sysenter(CALL_CLOSE, (uint32_t)file, 0, 0); }
bool make_pipe(int ends[2]) { return call_by_sysenter(CALL_PIPE, (uint32_t)ends, 0, 0) == 0; }

int32_t spawn(const char *name, uint32_t first, uint32_t second, int input, int output) {
  struct spawn spawn = {.arguments = {first, second}, .input = input, .output = output};
  for (uint32_t i = 0; i + 1 < SPAWN_NAME_BYTES && name[i] != 0; i++) spawn.name[i] = name[i];
  return call_by_sysenter(CALL_SPAWN, (uint32_t)&spawn, 0, 0);
}

int32_t wait(int32_t child) {
  int32_t status;
  int32_t error = call_by_sysenter(CALL_WAIT, (uint32_t)child, (uint32_t)&status, 0);
  return error < 0 ? error : status;
}

void *map(uint32_t bytes) { return (void *)call_by_sysenter(CALL_MAP, bytes, 0, 0); }
bool unmap(void *address) { return call_by_sysenter(CALL_UNMAP, (uint32_t)address, 0, 0) == 0; }
void discard(void *address, uint32_t bytes) { call_by_sysenter(CALL_DISCARD, (uint32_t)address, bytes, 0); }
void sleep_us(uint32_t us) { call_by_sysenter(CALL_SLEEP, us, 0, 0); }
void yield(void) { call_by_sysenter(CALL_YIELD, 0, 0, 0); }
void set_handler(void (*handler)(void)) { call_by_sysenter(CALL_HANDLER, (uint32_t)handler, 0, 0); }

/* A new thread's first C code. */
void thread_main(struct thread *thread) {
  thread->run(thread->argument);
  call_by_sysenter(CALL_THREAD_EXIT, 0, 0, 0);
}

bool start_thread(struct thread *thread, void *stack_top) {
  return call_by_sysenter(CALL_THREAD, (uint32_t)thread_start, (uint32_t)stack_top, (uint32_t)thread) == 0;
}

/* The compiler may call these by itself. */
void *memset(void *to, int byte, size_t bytes);
void *memset(void *to, int byte, size_t bytes) {
  void *at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
  return to;
}
void *memcpy(void *to, const void *from, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes) {
  void *at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}
