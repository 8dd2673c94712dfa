; { "about": "calls that do not return as they were made: recursion that is deep, a changed return address, a callee that jumps away, two stacks by turns, a caller's page that is mapped elsewhere meanwhile, a callee that sets TF, one that returns in ring 3", "mode": "paged", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["0000c3a6", "0000000a", "0000012c", "0000012c", "00000384", "00000111", "00000222", "00000111", "00000222", "00000008", "00000005", "00000019", "ee0e0005", "00066000", "ee0e0005", "00066000"] } }
%include "common.inc"
%define other (DATA + 0x2000)                   ; apart from the code, whose page would be translated anew
%define wanted (DATA + 0x2004)
%macro BIG 0                                    ; too large to be held in the place of its call
  %rep 20
  nop
  %endrep
%endmacro
main:
  PAGING_ON
  ; 1 + 2 + .. + 316 by recursion, twice: more than a region may wait for
  mov ebp, 2
.deep:
  mov ecx, 316
  call sum
  dec ebp
  jnz .deep
  TOLOG eax
  ; every second return goes to another place
  xor ebx, ebx
  mov ecx, 10
.bent:
  call bend
  inc ebx                                       ; comes here five times
.behind:
  inc ebx                                       ; and here ten times
  dec ecx
  jnz .bent
  sub ebx, 5
  TOLOG ebx
  ; never returns: 300 times
  xor ebx, ebx
  mov ecx, 300
.away:
  call leaves
  ud2
back:
  dec ecx
  jnz main.away
  TOLOG ebx
  ; two stacks: each side counts to 300
  mov dword [other], DATA + 0x1000
  mov dword [DATA + 0x1000], second
  xor ebx, ebx
  xor edx, edx
  mov ecx, 300
.turns:
  call switch
  inc ebx
  dec ecx
  jnz .turns
  TOLOG ebx
  lea edx, [edx + ebx * 2]
  TOLOG edx
  ; the page of the caller becomes another one during the call, twice there and back
  mov esi, caller
  mov edi, 0x64000
  mov ecx, caller.end - caller
  rep movsb
  mov esi, caller
  mov edi, 0x65000
  mov ecx, caller.end - caller
  rep movsb
  mov dword [0x65000 + caller.imm - caller], 0x222
  mov ebp, 2
.remap:
  mov dword [wanted], 0x64007
  mov edx, 0x64000
  call edx
  TOLOG eax
  mov dword [wanted], 0x65007
  call edx
  TOLOG eax
  dec ebp
  jnz .remap
  ; the callee returns with TF set: what is behind the call is stepped through
  SET_GATE IDT(1), CODE0, ABS(step), 0x8e, 0
  mov ebp, 2
.stepped:
  xor ebx, ebx
  call trap
  nop
  nop
  nop
  nop
  pushfd
  and byte [esp + 1], 0xfe
  popfd
  dec ebp
  jnz .stepped
  TOLOG ebx
  ; a RET at each depth goes to the same place, through a jump table of the stack
  xor ebx, ebx
  mov ecx, 5
.table:
  push dword .landed
  jmp plain
.landed:
  inc ebx
  dec ecx
  jnz .table
  TOLOG ebx
  ; RET n, and a callee that calls: 25
  xor ebx, ebx
  mov ecx, 5
.counted:
  push dword 2
  push dword 3
  call adds
  dec ecx
  jnz .counted
  TOLOG ebx
  ; the callee returns to the same place in ring 3, which may not read what the caller could
  mov dword [PTE(0x66000)], 0x66003
  invlpg [0x66000]
  mov ebp, 2
.lowered:
  mov eax, [0x66000]
  call lower
.low:
  TRY mov eax, [0x66000]
  LEAVE_USER
.raised:
  dec ebp
  jnz .lowered
  DONE

sum:                                            ; eax = 1 + .. + ecx
  test ecx, ecx
  jnz .more
  xor eax, eax
  ret
.more:
  push ecx
  dec ecx
  call sum
  pop ecx
  add eax, ecx
  BIG
  ret

bend:
  BIG
  test ecx, 1
  jz .straight
  add dword [esp], main.behind - main.bent - 5
.straight:
  ret

leaves:
  BIG
  inc ebx
  add esp, 4
  jmp back

switch:
  BIG
  xchg esp, [other]
  ret
second:
  inc edx
  call switch
  jmp second

caller:                                         ; runs at 0x64000
  mov eax, remap
  call eax
  db 0xb8                                       ; mov eax, imm32
.imm:
  dd 0x111
  ret
.end:
remap:
  BIG
  mov eax, [wanted]
  mov [PTE(0x64000)], eax
  invlpg [0x64000]
  ret

trap:
  BIG
  pushfd
  or byte [esp + 1], 1
  popfd
  ret

plain:
  BIG
  ret

adds:
  BIG
  mov eax, [esp + 4]
  push dword [esp + 8]
  call .inner
  ret 8
.inner:
  BIG
  add eax, [esp + 4]
  add ebx, eax
  ret 4

lower:
  BIG
  ENTER_USER .ring3
  add esp, 4
  jmp back.raised
.ring3:
  push dword back.low
  ret

step:
  push eax
  inc ebx
  xor eax, eax
  mov dr6, eax
  pop eax
  iretd

EPILOGUE
