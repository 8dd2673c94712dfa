// Rows of files on tmpfs.
#include "kbench.h"

enum { FILE_BYTES = 5, EEXIST = 17 };
static char path[64], inner[64];
static int opened;

void make_file(void) {
  int made = sure("open", sys(open, own_path(path, "file"), O_CREAT | O_WRONLY, 0600));
  sys(close, made);
}
ROW(stat) {
  while (n--) must_be("stat64", sys(stat64, path, buffer), 0);
}
void open_file(void) {
  make_file();
  opened = sure("open", sys(open, path, O_RDONLY));
}
ROW(fstat) {
  while (n--) must_be("fstat64", sys(fstat64, opened, buffer), 0);
}
ROW(open_close) {
  while (n--) {
    int file = sure("open", sys(open, path, O_RDONLY));
    must_be("close", sys(close, file), 0);
  }
}

void make_folder(void) {
  struct line line = {.n = 0};
  own_path(path, "folder");
  long made = sys(mkdir, path, 0700);
  // It may be there from this row's run by another number of processes.
  if (made != -EEXIST) sure("mkdir", made);
  put(&line, path);
  put(&line, "/file");
  for (u32 k = 0; k < line.n; k++) inner[k] = line.text[k];
}
ROW(file) {
  while (n--) {
    int file = sure("open", sys(open, inner, O_CREAT | O_WRONLY, 0600));
    must_be("write", sys(write, file, "hello", FILE_BYTES), FILE_BYTES);
    must_be("close", sys(close, file), 0);
    must_be("unlink", sys(unlink, inner), 0);
  }
}
