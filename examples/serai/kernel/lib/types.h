/* Short names for the types that every file uses. The kernel has no C library: these headers come with the compiler. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* The structure that has `member` at `pointer`. */
#define CONTAINER(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

/* What one CPU writes often and others read, or each for itself, lies in lines of its own: a line moves from CPU to CPU as a whole. */
#define CACHE_LINE 64

#define KIB 1024u
#define MIB (1024u * 1024u)
#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u
