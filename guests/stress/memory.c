// Address spaces: demand paging, copies on write, mappings that move, shrink and change their rights; and threads under which the
// rights of pages change: no TLB may still have the old ones when the system call has returned.
#include "stress.h"

extern char try_read_at, try_write_at, try_failed, bump_at, bump_failed, read_at;
int try_read(const volatile u32 *from, u32 *value);
int try_write(volatile u32 *to, u32 value);
int bump_while(volatile u32 *slot, const volatile u32 *flag, u32 value, u32 *count);
int read_while(volatile u32 *slot, const volatile u32 *flag, u32 value, u32 *count);

/** Faults of the functions above make them return 1; any other is an error. */
static void on_fault(int signal, struct siginfo *info, struct context *context) {
  u32 eip = context->eip, wrong = info->address != context->ecx;
  if (wrong) fail("address of a fault", info->address, context->ecx);
  if (eip == (u32)&try_read_at || eip == (u32)&try_write_at) context->eip = (u32)&try_failed;
  else if (eip == (u32)&bump_at || eip == (u32)&read_at) context->eip = (u32)&bump_failed;
  else fail("a fault", info->address, eip);
  // (QEMU says of a read-modify-write that the read faulted, a processor that the write did.)
  if (eip != (u32)&bump_at) check("a fault's access", context->error >> 1 & 1, eip == (u32)&try_write_at);
  (void)signal;
}
static void must_fault(volatile u32 *at, int write) {
  u32 value = 0;
  if (!try_read(at, &value)) fail("a read without a fault", (u32)at, value);
  if (write && !try_write(at, 1)) fail("a write without a fault", (u32)at, 0);
}

enum { PAGES = 24, WORDS = PAGE / 4 };
static u32 word_of(u32 key, u32 page, u32 k) { return (key + page) * 0x9e3779b1u + k * 0x85ebca6bu; }
static void fill(u32 *at, u32 key, u32 page) {
  for (u32 k = 0; k < WORDS; k += 13) at[page * WORDS + k] = word_of(key, page, k);
  at[page * WORDS + WORDS - 1] = word_of(key, page, WORDS - 1);
}
static void verify(const u32 *at, u32 key, u32 page, const char *what) {
  for (u32 k = 0; k < WORDS; k += 13) check(what, at[page * WORDS + k], word_of(key, page, k));
  check(what, at[page * WORDS + WORDS - 1], word_of(key, page, WORDS - 1));
}

static void copy_on_write(u32 *random) {
  u32 *at = (u32 *)map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), key = random32(random);
  u32 *common = (u32 *)map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
  for (u32 page = 0; page < PAGES; page += 1 + page % 3) {
    check("a fresh page", at[page * WORDS + random32(random) % WORDS], 0);
    fill(at, key, page);
  }
  for (u32 page = 0; page < PAGES; page++) fill(at, key, page);
  u32 ours = random32(random), theirs = random32(random);
  i32 pid = fork();
  u32 mine = pid ? ours : theirs;
  for (u32 page = 0; page < PAGES; page++) {
    u32 how = mine >> page & 3;
    verify(at, key, page, "a page after fork");
    if (how == 0) continue;
    // Part of a page, or all.
    if (how == 1) at[page * WORDS + 1] = mine;
    else fill(at, key + mine, page);
    add_fetch(common, 1);
  }
  for (u32 page = 0; page < PAGES; page++) {
    u32 how = mine >> page & 3;
    verify(at, how > 1 ? key + mine : key, page, "a page after writes on both sides");
    if (how == 1) check("a word after writes on both sides", at[page * WORDS + 1], mine);
  }
  if (pid == 0) leave(11);
  reap(pid, 11 << 8);
  u32 written = 0;
  for (u32 page = 0; page < PAGES; page++) written += ((ours >> page & 3) != 0) + ((theirs >> page & 3) != 0);
  check("a shared page", *common, written);
  count(0, written);
  unmap(at, PAGES * PAGE);
  unmap(common, PAGE);
}

static void mappings(u32 *random) {
  u32 *at = (u32 *)map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), key = random32(random);
  for (u32 page = 0; page < PAGES; page++) fill(at, key, page);
  // A hole, a read-only page, one without rights, and back again.
  unmap(at + 3 * WORDS, 2 * PAGE);
  must_fault(at + 3 * WORDS + random32(random) % WORDS, 1);
  must_fault(at + 5 * WORDS - 1, 1);
  verify(at, key, 2, "the page before a hole");
  verify(at, key, 5, "the page behind a hole");
  sys(mprotect, at + 6 * WORDS, PAGE, PROT_READ);
  verify(at, key, 6, "a read-only page");
  if (!try_write(at + 6 * WORDS + 5, 1)) fail("a write to a read-only page", 0, 0);
  sys(mprotect, at + 6 * WORDS, PAGE, PROT_NONE);
  must_fault(at + 6 * WORDS, 1);
  sys(mprotect, at + 6 * WORDS, PAGE, PROT_READ | PROT_WRITE);
  verify(at, key, 6, "a page that was protected");
  fill(at, key, 6);
  sys(madvise, at + 7 * WORDS, PAGE, MADV_DONTNEED);
  check("a page that was not needed", at[7 * WORDS + random32(random) % WORDS], 0);
  count(2, 6);
  // It grows, and moves: what was behind the hole stays.
  u32 *to = (u32 *)sure("mremap", sys(mremap, at + 8 * WORDS, (PAGES - 8) * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE));
  for (u32 page = 8; page < PAGES; page++) verify(to - 8 * WORDS, key, page, "a page that moved");
  for (u32 page = PAGES - 8; page < 2 * PAGES; page++) check("a page of what grew", to[page * WORDS + page], 0);
  if (to != at + 8 * WORDS) must_fault(at + 8 * WORDS, 1);
  u32 *fixed = (u32 *)map(PAGES * PAGE, PROT_NONE, MAP_PRIVATE);
  check("mremap to a place", sys(mremap, to, (PAGES - 8) * PAGE, (PAGES - 8) * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed), (u32)fixed);
  for (u32 page = 8; page < PAGES; page++) verify(fixed - 8 * WORDS, key, page, "a page that moved twice");
  must_fault(to, 1);
  check("mremap shrinks", sys(mremap, fixed, (PAGES - 8) * PAGE, PAGE, 0), (u32)fixed);
  verify(fixed - 8 * WORDS, key, 8, "a page of what shrank");
  must_fault(fixed + WORDS, 1);
  count(1, 3);
  count(2, 2);
  unmap(fixed, PAGES * PAGE);
  unmap(to, 2 * PAGES * PAGE);
  unmap(at, 8 * PAGE);
}

static void worker(u32 n) {
  u32 random = 3 + n * 999331;
  on_signal(SIGSEGV, on_fault, SA_NODEFER);
  do {
    copy_on_write(&random);
    mappings(&random);
  } while (running());
}
void memory(void) { in_processes(cpus, worker); }

// The owner (thread 0) says in `phase` what pages are now: odd: the others increment their slots in them as fast as they can; even:
// their rights were taken, and no access that begins then may succeed. `intent` is the phase to come.
enum { SHOT = 3 };
enum { NO_RIGHTS, READ_ONLY, UNMAPPED, MOVED, NOT_NEEDED, KINDS };
static u32 users;
static volatile u32 *pages, phase, intent, kind, arrived, over, early;
static u8 *target;

static void announce(u32 next) {
  barrier();
  phase = next;
}
static void await_users(void) {
  u32 spins = 0;
  while (arrived != users) wait_a_little(&spins);
  arrived = 0;
}
static void owner(void) {
  u32 random = 55, bytes = SHOT * PAGE;
  do {
    // Some work for the others; they say when they are under way.
    intent = phase + 1;
    announce(intent);
    await_users();
    u32 what = kind = random32(&random) % KINDS, spins = 0;
    for (u32 k = random32(&random) % 40; k; k--) wait_a_little(&spins);
    intent = phase + 1;
    barrier();
    u8 *at = (u8 *)pages;
    if (what == NO_RIGHTS) check("mprotect", sys(mprotect, at, bytes, PROT_NONE), 0);
    else if (what == READ_ONLY) check("mprotect", sys(mprotect, at, bytes, PROT_READ), 0);
    else if (what == UNMAPPED) unmap(at, bytes);
    else if (what == MOVED) check("mremap", sys(mremap, at, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target), (u32)target);
    else check("madvise", sys(madvise, at, bytes, MADV_DONTNEED), 0);
    announce(intent);
    await_users();
    if (what == NO_RIGHTS || what == READ_ONLY) check("mprotect", sys(mprotect, at, bytes, PROT_READ | PROT_WRITE), 0);
    else if (what == UNMAPPED) check("mmap", sys(mmap2, at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0), (u32)at);
    else if (what == MOVED) {
      check("mremap", sys(mremap, target, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at), (u32)at);
      check("mmap", sys(mmap2, target, bytes, PROT_NONE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0), (u32)target);
    }
    count(what == UNMAPPED || what == MOVED || what == NOT_NEEDED, 1);
  } while (running());
  over = 1;
  announce(phase + 1);
}
static void user(u32 n) {
  u32 mine[SHOT] = {0}, turn = n, faults = 0, earlies = 0;
  for (u32 now = 1;; now += 2) {
    u32 spins = 0;
    while ((i32)(phase - now) < 0) wait_a_little(&spins);
    if (over) break;
    check("phase", phase, now);
    volatile u32 *slots = pages + n;
    for (u32 page = 0; page < SHOT; page++) {
      check("what was written before", slots[page * WORDS], mine[page]);
      slots[page * WORDS]++;
      mine[page]++;
    }
    add_fetch(&arrived, 1);
    // Until the phase ends, or a fault says that it is about to.
    for (int ended = 0; phase == now && !ended;) {
      u32 page = turn++ % SHOT, many = 400, same = 400;
      ended = bump_while(slots + page * WORDS, &phase, now, &many);
      mine[page] += many;
      if (!ended && n & 1) ended = read_while(slots + page * WORDS, &phase, now, &same);
      if (!ended) continue;
      if (intent == now) fail("a fault before anything was protected", n, page);
      earlies++;
    }
    while (phase == now) wait_a_little(&spins);
    check("phase", phase, now + 1);
    u32 what = kind;
    for (u32 page = 0; page < SHOT; page++) {
      volatile u32 *slot = slots + (page + n) % SHOT * WORDS;
      u32 *own = &mine[(page + n) % SHOT], value = 0;
      if (what == READ_ONLY || what == NOT_NEEDED) {
        // A write between the system call and its return may have been to the new page, or not.
        if (try_read(slot, &value)) fail("a read of a readable page", (u32)slot, 0);
        if (what == READ_ONLY) check("a read-only page", value, *own);
        else if (value > *own) fail("a page that was not needed", value, *own);
        *own = value;
        if (what == READ_ONLY && !try_write(slot, 1)) fail("a write to a read-only page", (u32)slot, phase);
      } else {
        if (!try_read(slot, &value)) fail("a read of a page without rights", (u32)slot, what << 28 | (phase & 0xfffffff));
        if (!try_write(slot, 1)) fail("a write to a page without rights", (u32)slot, what << 28 | (phase & 0xfffffff));
        if (what == MOVED) {
          check("a page that moved", *(volatile u32 *)(target + ((u32)slot - (u32)pages)), *own);
        } else if (what == UNMAPPED) *own = 0;
      }
      faults += what != NOT_NEEDED;
    }
    add_fetch(&arrived, 1);
  }
  count(2, faults);
  count(3, earlies);
}
static void thread_of(u32 n) {
  if (n == 0) owner();
  else user(n);
}
void shootdown(void) {
  on_signal(SIGSEGV, on_fault, SA_NODEFER);
  pages = (u32 *)map(SHOT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  target = map(SHOT * PAGE, PROT_NONE, MAP_PRIVATE);
  users = cpus > 1 ? cpus - 1 : 1;
  in_threads(users + 1, thread_of);
}
