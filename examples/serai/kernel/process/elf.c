/*
 * Loads programs: for each segment of the ELF file (System V ABI, chapter 5) a region of addresses, and pages with what is in the file.
 * What cannot be written is not copied: all processes of a program share the file's own pages.
 */
#include "process/elf.h"
#include "lib/string.h"
#include "memory/space.h"
#include "memory/pages.h"

struct elf_header {
  u8 ident[16];
  u16 type, machine;
  u32 version, entry, segments, sections, flags;
  u16 header_bytes, segment_bytes, segment_count;
} __attribute__((packed));

struct elf_segment {
  u32 type, offset, address, physical, file_bytes, memory_bytes, flags, alignment;
};
#define LOAD 1
#define WRITABLE 2

const struct program *program_find(const char *name) {
  for (const struct program *program = programs; program < programs_end; program++)
    if (strcmp(program->name, name) == 0) return program;
  return NULL;
}

static bool load_segment(const u8 *file, const struct elf_segment *segment, struct space *space) {
  u32 first = segment->address & ~(PAGE_BYTES - 1);
  if (!space_add(space, first, segment->address + segment->memory_bytes - first, (segment->flags & WRITABLE) != 0)) return false;
  if ((segment->flags & WRITABLE) == 0) {
    /* Pages can be shared where they lie in the file as they do in memory: user/user.ld, process/programs.S. */
    const u8 *page = file + segment->offset - (segment->address - first);
    if ((u32)page % PAGE_BYTES != 0) return false;
    for (u32 at = 0; at < segment->address + segment->file_bytes - first; at += PAGE_BYTES)
      if (!space_share(space, first + at, page + at)) return false;
    return true;
  }
  for (u32 done = 0; done < segment->file_bytes;) {
    u32 address = segment->address + done, offset = address % PAGE_BYTES;
    u32 count = MIN(segment->file_bytes - done, PAGE_BYTES - offset);
    char *page = space_page(space, address);
    if (page == NULL) return false;
    memcpy(page + offset, file + segment->offset + done, count);
    done += count;
  }
  return true;
}

u32 program_load(const struct program *program, struct space *space) {
  const struct elf_header *header = (const struct elf_header *)program->start;
  const struct elf_segment *segments = (const struct elf_segment *)(program->start + header->segments);
  for (u32 i = 0; i < header->segment_count; i++)
    if (segments[i].type == LOAD && segments[i].memory_bytes > 0 && !load_segment(program->start, &segments[i], space)) return 0;
  return header->entry;
}
