; { "about": "user code of one page at three places: EIPs that it pushes, faults at and reads, calls of the page behind it, branches to 16 bits of EIP", "mode": "paged",
;   "expect": { "log": [
;     "00064005", "0006401e", "00064036", "ee060000", "00004025",
;     "00068005", "0006801e", "00068036", "ee060000", "00008025",
;     "0006c005", "0006c01e", "0006c036", "ee060000", "0000c025",
;     "00064005", "0006401e", "00064036", "ee060000", "00004025",
;     "00068005", "0006801e", "00068036", "ee060000", "00008025",
;     "0006c005", "0006c01e", "0006c036", "ee060000", "0000c025",
;     "00064005", "0006401e", "00064036", "ee060000", "00004025",
;     "00068005", "0006801e", "00068036", "ee060000", "00008025",
;     "0006c005", "0006c01e", "0006c036", "ee060000", "0000c025",
;     "99999999"] } }
%include "common.inc"
%define FIRST 0x60000                           ; physical pages
%define SECOND 0x61000
%define LOW 0x62000
%macro PLACE 1                                  ; two pages of code at a linear address, and what its low half alone leads to
  SET_PTE %1, FIRST + 7
  SET_PTE %1 + 0x1000, SECOND + 7
  SET_PTE (%1) & 0xffff, LOW + 7
%endmacro
main:
  mov esi, code
  mov edi, FIRST
  mov ecx, code_end - code
  rep movsb
  mov dword [SECOND], 0xc324148b                ; mov edx, [esp]; ret
  mov esi, low
  mov edi, LOW + 0x20
  mov ecx, low_end - low
  rep movsb
  PAGING_ON
  PLACE 0x64000
  PLACE 0x68000
  PLACE 0x6c000
  ENTER_USER user
  TOLOG 0x99999999
  DONE
user:
  push byte 3
.again:
  mov ebp, 0x64000
  call ebp
  mov ebp, 0x68000
  call ebp
  mov ebp, 0x6c000
  call ebp
  dec dword [esp]
  jnz .again
  pop eax
  LEAVE_USER
code:                                           ; at EBP
  call .here
.here:
  pop eax
  TOLOG eax
  call .near
  TOLOG edx
  call code + 0x1000
  TOLOG edx
  lea ecx, [ebp + .fault - code]
  mov [fault_at], ecx
  lea ecx, [ebp + .after - code]
  mov [resume_at], ecx
.fault:
  ud2
.after:
  lea ebx, [ebp + .back - code]
  db 0x66, 0xe9                                 ; jmp rel16
  dw 0x20 - (.next - code)
.next:
  ud2
.back:
  TOLOG esi
  lea ebx, [ebp + .last - code]
  cmp eax, eax
  db 0x66, 0x0f, 0x84                           ; je rel16
  dw 0x20 - (.other - code)
.other:
  ud2
.last:
  ret
.near:
  mov edx, [esp]
  ret
code_end:
low:
  call .here
.here:
  pop esi
  jmp ebx
low_end:
EPILOGUE
