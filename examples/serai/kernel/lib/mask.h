/* Sets of CPUs, one bit each. Two words, because a 32-bit CPU changes 32 bits at once. */
#pragma once
#include "lib/types.h"

#define MAX_CPUS 64

struct cpu_mask {
  u32 words[MAX_CPUS / 32];
};

static inline bool mask_has(const struct cpu_mask *mask, u32 cpu) {
  return (__atomic_load_n(&mask->words[cpu / 32], __ATOMIC_SEQ_CST) >> (cpu % 32)) & 1;
}

/* Returns whether it was there. */
static inline bool mask_add(struct cpu_mask *mask, u32 cpu) {
  u32 bit = 1u << (cpu % 32);
  return (__atomic_fetch_or(&mask->words[cpu / 32], bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

/* Returns whether it was there. */
static inline bool mask_remove(struct cpu_mask *mask, u32 cpu) {
  u32 bit = 1u << (cpu % 32);
  return (__atomic_fetch_and(&mask->words[cpu / 32], ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

static inline bool mask_is_empty(const struct cpu_mask *mask) {
  for (u32 word = 0; word < MAX_CPUS / 32; word++)
    if (__atomic_load_n(&mask->words[word], __ATOMIC_SEQ_CST) != 0) return false;
  return true;
}

/* The lowest CPU of the set from `from` on; MAX_CPUS where there is none. */
static inline u32 mask_next(const struct cpu_mask *mask, u32 from) {
  for (u32 word = from / 32; word < MAX_CPUS / 32; word++, from = word * 32) {
    u32 rest = __atomic_load_n(&mask->words[word], __ATOMIC_SEQ_CST) >> (from % 32);
    if (rest != 0) return from + (u32)__builtin_ctz(rest);
  }
  return MAX_CPUS;
}
