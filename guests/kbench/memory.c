// Rows of pages.
#include "kbench.h"

enum { PAGES = 64 };
static int backing;
static u8 *mapped;
static u32 touched;

ROW(mmap_64) {
  while (n--) {
    u8 *at = (u8 *)sure("mmap2", sys(mmap2, 0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (u32 k = 0; k < PAGES; k++) *(volatile u8 *)(at + k * PAGE) = 1;
    must_be("munmap", sys(munmap, at, PAGES * PAGE), 0);
  }
}

/** A file whose pages are all there. */
void prepare_page_fault(void) {
  char path[64];
  backing = sure("open", sys(open, own_path(path, "pages"), O_CREAT | O_RDWR, 0600));
  must_be("ftruncate", sys(ftruncate, backing, PAGES * PAGE), 0);
  for (u32 k = 0; k < PAGES; k++) must_be("pwrite64", sys(pwrite64, backing, buffer, PAGE, k * PAGE, 0), PAGE);
}
/** A store to each page: for reads Linux maps sixteen at once. Mapped anew when all have been written to. */
ROW(page_fault) {
  while (n--) {
    if (touched == 0) mapped = (u8 *)sure("mmap2", sys(mmap2, 0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, backing, 0));
    *(volatile u8 *)(mapped + touched * PAGE) = 1;
    if (++touched < PAGES) continue;
    must_be("munmap", sys(munmap, mapped, PAGES * PAGE), 0);
    touched = 0;
  }
}
