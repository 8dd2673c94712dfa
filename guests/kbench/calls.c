// Rows of short system calls.
#include "kbench.h"

enum { FIRST_SELECTED = 20, MOST_SELECTED = 500 };

static long parent;
static int zero, null;
static u32 selected[(FIRST_SELECTED + MOST_SELECTED) / 32 + 1], end_selected;

void prepare_parent(void) { parent = sys(getppid); }
ROW(getppid_int80) {
  while (n--) {
    long result = SYS_getppid;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    must_be("getppid", result, parent);
  }
}
ROW(getppid_sysenter) {
  while (n--) must_be("getppid", sys(getppid), parent);
}

void open_devices(void) {
  zero = sure("open /dev/zero", sys(open, "/dev/zero", O_RDONLY));
  null = sure("open /dev/null", sys(open, "/dev/null", O_WRONLY));
}
ROW(read_1) {
  while (n--) must_be("read", sys(read, zero, buffer, 1), 1);
}
ROW(write_1) {
  while (n--) must_be("write", sys(write, null, buffer, 1), 1);
}
ROW(read_64k) {
  while (n--) must_be("read", sys(read, zero, buffer, LONG_READ), LONG_READ);
}

/** So many more descriptors of a pipe that nobody writes to. */
static void prepare_select(u32 count) {
  int ends[2];
  sure("pipe", sys(pipe, ends));
  end_selected = FIRST_SELECTED + count;
  for (u32 k = FIRST_SELECTED; k < end_selected; k++) {
    sure("dup2", sys(dup2, ends[0], k));
    selected[k / 32] |= 1u << k % 32;
  }
}
void prepare_select_10(void) { prepare_select(10); }
void prepare_select_100(void) { prepare_select(100); }
void prepare_select_250(void) { prepare_select(250); }
void prepare_select_500(void) { prepare_select(500); }
ROW(select_some) {
  while (n--) {
    u32 set[sizeof selected / 4], at_once[2] = {0, 0};
    for (u32 k = 0; k <= end_selected / 32; k++) set[k] = selected[k];
    must_be("select", sys(select, end_selected, set, NULL, NULL, at_once), 0);
  }
}

ROW(yield) {
  while (n--) must_be("sched_yield", sys(sched_yield), 0);
}
