; { "about": "handlers that are entered again and again while what leads there changes in memory: the gate's offset, selector, type and presence, the code segment's descriptor behind LGDT, ESP0 of the TSS, the MSRs of SYSENTER, the handler's own code, the frame that IRET returns by, the page of the handler", "mode": "paged", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["00000006", "0000025e", "000004bc", "000004bc", "000010bc", "ee0b018a", "ee0d018a", "ee0d0010", "ee0b018a", "ee0d018a", "ee0d0010", "ee0b018a", "ee0d018a", "ee0d0010", "000010bf", "0000123f", "ee0b0040", "ee0d0040", "ee0b0040", "ee0d0040", "ee0b0040", "ee0d0040", "000013bf", "000013d4", "000013da", "0000141c", "e1053710", "ee0e0000", "00064000", "e1053710", "ee0e0000", "00064000", "e1053710", "ee0e0000", "00064000", "0000141f", "00001425", "0000143d", "0000147f", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "00001485"] } }
%include "common.inc"
%define VECTOR 0x31
%define GATE IDT(VECTOR)
%define AT_CODE 0x64000                         ; a handler on a page of its own
%define AT_OTHER 0x65000
%define TURNS 6

; Each turn enters the handler, which adds to EBX.
%macro ENTER 0
  mov ecx, TURNS
%%again:
  int VECTOR
  dec ecx
  jnz %%again
  TOLOG ebx
%endmacro
%macro GATE_TO 2                                ; label, type byte
  SET_GATE GATE, CODE0, ABS(%1), %2, 0
%endmacro

main:
  PAGING_ON
  xor ebx, ebx
  GATE_TO add_one, 0x8e
  ENTER
  ; to another handler, and to each in turn
  GATE_TO add_hundred, 0x8e
  ENTER
  mov ecx, TURNS
.turns:
  GATE_TO add_one, 0x8e
  int VECTOR
  GATE_TO add_hundred, 0x8e
  int VECTOR
  dec ecx
  jnz .turns
  TOLOG ebx
  ; an interrupt gate clears IF, a trap gate does not
  GATE_TO if_of_handler, 0x8e
  ENTER
  GATE_TO if_of_handler, 0x8f
  sti
  ENTER
  cli
  ; not present, no gate, no code segment: and well again
  mov ecx, 3
.wrong:
  GATE_TO add_one, 0x0e
  TRY int VECTOR
  GATE_TO add_one, 0x82
  TRY int VECTOR
  SET_GATE GATE, DATA0, ABS(add_one), 0x8e, 0
  TRY int VECTOR
  GATE_TO add_one, 0x8e
  int VECTOR
  dec ecx
  jnz .wrong
  TOLOG ebx
  ; another code segment, whose descriptor changes in memory without another LGDT
  SET_DESC FREE, 0, 0xfffff, 0x9b, 0xc
  SET_GATE GATE, FREE, ABS(add_cs), 0x8e, 0
  ENTER
  mov ecx, 3
.descriptor:
  mov byte [GDT(FREE) + 5], 0x1b                ; not present
  TRY int VECTOR
  mov byte [GDT(FREE) + 5], 0x93                ; data
  TRY int VECTOR
  SET_DESC FREE, 0x1000, 0xfffff, 0x9b, 0xc     ; with a base
  SET_GATE GATE, FREE, (ABS(add_cs) - 0x1000), 0x8e, 0
  int VECTOR
  SET_DESC FREE, 0, 0xfffff, 0x9b, 0xc
  SET_GATE GATE, FREE, ABS(add_cs), 0x8e, 0
  int VECTOR
  dec ecx
  jnz .descriptor
  TOLOG ebx
  ; the handler's code changes
  GATE_TO changing, 0x8e
  mov ecx, TURNS
.code:
  mov [changing.imm], ecx
  int VECTOR
  dec ecx
  jnz .code
  TOLOG ebx
  ; its page is mapped elsewhere
  mov edi, AT_CODE
  mov esi, page_one
  mov ecx, page_one.end - page_one
  rep movsb
  mov edi, AT_OTHER
  mov esi, page_ten
  mov ecx, page_ten.end - page_ten
  rep movsb
  SET_GATE GATE, CODE0, AT_CODE, 0x8e, 0
  ENTER
  mov ecx, TURNS
.mapped:
  SET_PTE AT_CODE, AT_OTHER + 7
  int VECTOR
  SET_PTE AT_CODE, AT_CODE + 7
  int VECTOR
  dec ecx
  jnz .mapped
  TOLOG ebx
  mov ecx, 3
.absent:
  SET_PTE AT_CODE, 0
  TRY int VECTOR
  SET_PTE AT_CODE, AT_CODE + 7
  int VECTOR
  dec ecx
  jnz .absent
  TOLOG ebx
  ; a frame that the handler changes: returns behind what would come next
  GATE_TO skipping, 0x8e
  mov ecx, TURNS
.frames:
  int VECTOR
  ud2
  inc ebx
  dec ecx
  jnz .frames
  TOLOG ebx
  ; from ring 3, with an ESP0 that changes; back by IRET
  GATE_TO from_user, 0xee
  mov dword [at_stack], STACK_TSS
  mov ecx, TURNS
.user:
  mov [tss + 4], dword STACK_TSS
  mov dword [at_stack], STACK_TSS
  ENTER_USER user
  mov [tss + 4], dword STACK_TSS - 0x100
  mov dword [at_stack], STACK_TSS - 0x100
  ENTER_USER user
  dec ecx
  jnz .user
  TOLOG ebx
  mov dword [tss + 4], STACK_TSS
  ; SYSENTER to two places in turn, and SYSEXIT
  xor edx, edx
  mov eax, CODE0
  mov ecx, 0x174
  wrmsr
  mov eax, STACK0 - 0x400
  mov ecx, 0x175
  wrmsr
  mov esi, TURNS
.fast:
  mov eax, sys_one
  call enter_fast
  mov eax, sys_ten
  call enter_fast
  dec esi
  jnz .fast
  TOLOG ebx
  ; an exception of the kernel's own in each turn
  GATE_TO add_one, 0x8e
  mov ecx, TURNS
.faults:
  TRY ud2
  int VECTOR
  dec ecx
  jnz .faults
  TOLOG ebx
  DONE

enter_fast:
  mov ecx, 0x176
  xor edx, edx
  wrmsr
  ENTER_USER fast_user
  ret

add_one:
  inc ebx
  iretd
add_hundred:
  add ebx, 100
  iretd
if_of_handler:
  push eax
  pushfd
  pop eax
  and eax, 0x200
  add ebx, eax
  pop eax
  iretd
add_cs:
  push eax
  mov eax, cs
  add ebx, eax
  pop eax
  iretd
changing:
  db 0x81, 0xc3                                 ; add ebx, imm32
.imm:
  dd 0
  iretd
page_one:
  inc ebx
  iretd
.end:
page_ten:
  add ebx, 10
  iretd
.end:
skipping:
  add dword [esp], 2
  iretd
from_user:
  push eax
  lea eax, [esp + 24]
  sub eax, [at_stack]
  add ebx, eax
  inc ebx
  pop eax
  iretd
user:
  int VECTOR
  int VECTOR
  LEAVE_USER
fast_user:
  mov edi, esp
  mov edx, .back
  mov ecx, edi
  sysenter
.back:
  LEAVE_USER
sys_one:
  inc ebx
  sysexit
sys_ten:
  add ebx, 10
  sysexit

at_stack: dd 0
EPILOGUE
