; { "about": "accesses of guest memory that functions of the runtime make: frames of INT, exceptions and call gates, far calls and returns, IRET, ENTER, images of the x87, a string instruction that faults", "mode": "protected",
;   "expect": { "log": ["00000000", "03020100", "0000001f"] } }
%include "common.inc"
; test/unit/clients/told-accesses.test.ts knows each access of a turn.
%define TURNS 3000
%define MARK DATA
%define AWAY (DATA + 0x2000)                    ; a page that is mapped by its page fault
align 4096                                      ; code that is stored beside of is translated later
main:
  PAGING_ON
  mov eax, cr4
  or eax, 0x200                                 ; OSFXSR
  mov cr4, eax
  SET_GATE IDT(14), CODE0, ABS(page_fault), 0x8e, 0
  SET_GATE IDT(0x21), CODE0, ABS(handler), 0x8e, 0
  SET_GATE GDT(0x40), CODE0, ABS(inner), 0xec, 2
  mov edi, DATA + 0x1000
  xor eax, eax
.fill:
  stosb
  inc eax
  cmp eax, 32
  jb .fill
  mov dword [DATA + 1024], 0x80000000           ; the mask of MASKMOVDQU: bytes 3 and 5
  mov dword [DATA + 1028], 0x00008000
  mov dword [DATA + 1032], 0
  mov dword [DATA + 1036], 0
  mov ebx, TURNS
turn:
  mov [MARK], ebx
  int 0x21
  call CODE0:far_call
  mov ebp, 0x3f000
  enter 16, 3
  leave
  fninit
  fld1
  fst dword [DATA + 16]
  fist word [DATA + 20]
  fstp qword [DATA + 24]
  fld1
  fstp tword [DATA + 32]
  fnstenv [DATA + 64]
  fldenv [DATA + 64]
  fnsave [DATA + 128]
  frstor [DATA + 128]
  fxsave [DATA + 512]
  fxrstor [DATA + 512]
  sgdt [DATA + 8]
  movdqu xmm1, [DATA + 1024]
  mov edi, DATA + 1040
  maskmovdqu xmm0, xmm1
  mov dword [PTE(AWAY)], 0
  invlpg [AWAY]
  mov esi, DATA + 0x1000
  mov edi, AWAY - 16
  mov ecx, 32
  rep movsb
  ENTER_USER user
  dec ebx
  jnz turn
  mov [MARK + 4], ebx                           ; the end of what is counted
  TOLOG_EACH ebx, [AWAY - 16], 0x1f
  DONE
far_call:
  retf
handler:
  iretd
page_fault:
  mov dword [PTE(AWAY)], AWAY + 7
  add esp, 4
  iretd
user:
  push dword 2
  push dword 1
  call 0x43:0
  LEAVE_USER
inner:
  retf 8
EPILOGUE
