// Code that changes: functions rewritten for other threads, which are told by a flag; and by each thread for itself.
#include "stress.h"

typedef u32 function(u32 argument);
enum { CELL = 64, CELLS = PAGE / CELL };
static u32 workers;
static struct meeting meeting;
/** Two pages: functions for all (also one over the end of the first page); and cells, one for each thread, side by side. The same memory is there a second time, at another address. */
static u8 *functions, *cells, *functions_too, *cells_too;
static volatile u32 version, over, wanted_shape, wanted_value;

static void put32(u8 *at, u32 value) { memcpy(at, &value, 4); }
static void serialize(void) {
  u32 a = 0, b, c, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) : : "memory");
}

/** Writes one of several functions of a value and an argument. */
static void write_code(u8 *at, u32 shape, u32 value) {
  static const u8 load[] = {0x8b, 0x44, 0x24, 0x04}; // mov eax, [esp+4]
  if (shape == 0) { // mov eax, value; ret
    *at++ = 0xb8;
    put32(at, value);
    at += 4;
  } else if (shape == 1 || shape == 2) { // add or xor eax, value
    memcpy(at, load, 4);
    at[4] = shape == 1 ? 0x05 : 0x35;
    put32(at + 5, value);
    at += 9;
  } else { // mov ecx, value & 15 + 1; l: add eax, eax + 1 (lea); dec ecx; jnz l
    memcpy(at, load, 4);
    at[4] = 0xb9;
    put32(at + 5, (value & 15) + 1);
    static const u8 loop[] = {0x8d, 0x44, 0x40, 0x01, 0x49, 0x75, 0xf9}; // lea eax, [eax+eax*2+1]
    memcpy(at + 9, loop, sizeof loop);
    at += 9 + sizeof loop;
  }
  *at = 0xc3;
}
static u32 result_of(u32 shape, u32 value, u32 argument) {
  if (shape == 0) return value;
  if (shape == 1) return argument + value;
  if (shape == 2) return argument ^ value;
  for (u32 k = (value & 15) + 1; k; k--) argument = argument * 3 + 1;
  return argument;
}
enum { SHAPES = 4 };

/** A thread's own code: rewritten and called at once, without anything between but the call. */
static u32 own(u32 n, u32 *random, u32 calls) {
  u8 *cell = cells + n % CELLS * CELL;
  u32 done = 0;
  for (u32 k = 0; k < 4; k++) {
    u32 shape = random32(random) % SHAPES, value = random32(random);
    // Through the other address: that wants an instruction that serializes.
    u32 other = k & 1;
    write_code(other ? cells_too + n % CELLS * CELL : cell, shape, value);
    if (other) serialize();
    for (u32 i = 0; i < calls; i++) {
      u32 argument = value * 5 + i, got = ((function *)cell)(argument);
      if (got != result_of(shape, value, argument)) fail("own code", got, result_of(shape, value, argument));
      done++;
    }
    // An operand alone.
    if (shape < 3) {
      put32(cell + (shape == 0 ? 1 : 5), value + 1);
      u32 got = ((function *)cell)(9);
      if (got != result_of(shape, value + 1, 9)) fail("an operand of own code", got, result_of(shape, value + 1, 9));
    }
  }
  // mov eax, [esp+4]; mov [operand], eax; jmp +0; mov eax, operand; ret: it changes the instruction behind the next.
  static const u8 itself[] = {0x8b, 0x44, 0x24, 0x04, 0xa3, 0, 0, 0, 0, 0xeb, 0x00, 0xb8, 0, 0, 0, 0, 0xc3};
  memcpy(cell, itself, sizeof itself);
  put32(cell + 5, (u32)cell + 12);
  for (u32 k = 0; k < calls; k++) {
    u32 argument = random32(random), got = ((function *)cell)(argument);
    if (got != argument) fail("code that changes itself", got, argument);
  }
  count(1, 8 + calls);
  return done + calls;
}

static u32 place(u32 round) {
  // Over the end of a page, at its start, and in the same page as the last.
  u32 places[] = {64, PAGE - 7, PAGE + 128, PAGE - 3, 128, PAGE + 1000};
  return places[round % 6];
}
static void worker(u32 n) {
  u32 random = 1234567 + n * 71, calls = 0, rounds = 0;
  for (u32 round = 1;; round++) {
    // Now and then so often that it becomes hot.
    u32 times = round % 8 == 0 ? 1500 : 3;
    if (round % workers == n) {
      wanted_shape = random32(&random) % SHAPES;
      wanted_value = random32(&random);
      u8 *at = round % 4 < 2 ? functions : functions_too;
      write_code(at + place(round), wanted_shape, wanted_value);
      serialize();
      over = !running();
      barrier();
      version = round;
      rounds++;
    } else {
      u32 spins = 0;
      while (version != round) wait_a_little(&spins);
      serialize();
    }
    function *call = (function *)(functions + place(round));
    u32 shape = wanted_shape, value = wanted_value, end = over;
    for (u32 k = 0; k < times; k++) {
      u32 got = call(k * 77 + n);
      if (got != result_of(shape, value, k * 77 + n)) fail("code of another thread", got, result_of(shape, value, k * 77 + n));
    }
    calls += times + own(n, &random, round % 16 == 5 ? 700 : 2);
    meet(&meeting, workers);
    if (end) break;
  }
  count(0, rounds);
  count(2, calls);
}
/** Two addresses of the same shared memory. */
static u8 *map_twice(u32 bytes, u8 **too) {
  u8 *at = map(bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED);
  *too = (u8 *)sure("mremap of a shared page", sys(mremap, at, 0, bytes, MREMAP_MAYMOVE));
  return at;
}
void code(void) {
  functions = map_twice(2 * PAGE, &functions_too);
  cells = map_twice(PAGE, &cells_too);
  workers = cpus > 1 ? cpus : 2;
  in_threads(workers, worker);
}
