/*
 * `bug`: a driver of a few lines with a mistake in its use of the heap, as drivers have them, for tools that look for such. The kernel goes on as if
 * nothing were: a freed object is read (`use-after-free`) and written (`write-after-free`), and a byte behind the end of one
 * (`out-of-bounds`). `none` does the same work without a mistake.
 */
#include "lib/print.h"
#include "lib/string.h"
#include "memory/heap.h"
#include "shell/commands.h"

struct request {
  struct request *next;
  u32 sector, status;
  u8 data[28];
};

/* Calls, not inlined: tools show by their names who made, who freed and who used what. */
static __attribute__((noinline)) struct request *request_create(u32 sector) {
  struct request *request = heap_allocate(sizeof *request);
  if (request != NULL) request->sector = sector;
  return request;
}

static __attribute__((noinline)) void request_fill(struct request *request, u32 bytes) {
  volatile u8 *data = request->data;
  for (u32 i = 0; i < bytes; i++) data[i] = (u8)(request->sector + i);
}

static __attribute__((noinline)) void request_finish(struct request *request, u32 status) { *(volatile u32 *)&request->status = status; }

static __attribute__((noinline)) u32 request_status(const struct request *request) { return *(const volatile u32 *)&request->status; }

static __attribute__((noinline)) void request_free(struct request *request) { heap_free(request); }

static const char *const mistakes[] = {"none", "use-after-free", "write-after-free", "out-of-bounds"};

const char *bug_words(u32 index) { return index < ARRAY_LENGTH(mistakes) ? mistakes[index] : NULL; }

bool command_bug(u32 count, char **words) {
  if (count != 2) return false;
  u32 mistake = 0;
  while (mistake < ARRAY_LENGTH(mistakes) && strcmp(mistakes[mistake], words[1]) != 0) mistake++;
  if (mistake == ARRAY_LENGTH(mistakes)) return false;
  struct request *request = request_create(7);
  if (request == NULL) {
    print("no memory\n");
    return true;
  }
  request_fill(request, sizeof request->data + (mistake == 3));
  request_finish(request, 1);
  u32 status = request_status(request);
  request_free(request);
  if (mistake == 1) status = request_status(request);
  if (mistake == 2) request_finish(request, 2);
  print("bug %s: status %u\n", mistakes[mistake], status);
  return true;
}
