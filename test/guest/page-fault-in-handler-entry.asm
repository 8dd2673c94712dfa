; { "about": "a page fault while an exception's frame is written to the ring 0 stack becomes #DF through a task gate; the faulting task's state is in its TSS", "mode": "paged",
;   "expect": { "log": ["00000000", "00000028", "00000000", "00062ffc"] } }
%include "common.inc"
main:
  SET_DESC 0x40, ABS(tss2), 103, 0x89, 0
  SET_GATE IDT(8), 0x40, 0, 0x85, 0
  PAGING_ON
  mov eax, cr3
  mov [tss2 + 0x1c], eax
  SET_PTE 0x62000, 0
  mov esp, 0x63000
culprit:
  ud2
  DONE
double:
  pop eax                                       ; error code
  TOLOG eax
  movzx eax, word [tss2]
  TOLOG eax
  mov eax, [tss + 0x20]
  sub eax, culprit
  TOLOG eax
  TOLOG_EACH cr2
  DONE
align 4
tss2:
  TASK_STATE double
EPILOGUE
