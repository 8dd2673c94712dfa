; { "about": "what CALL and RET are used for besides: code that asks where it is, targets pushed by hand, return addresses that are read, changed, pushed again and given up, a thunk that jumps by RET, stacks that are left and come back to, code behind a call that the callee writes anew", "mode": "flat32", "without": ["returns", "entries", "frames"],
;   "expect": { "log": ["00000000", "00000028", "00000028", "00000014", "00000014", "00000014", "00000014", "00000014", "00000028", "00000028", "000000d2"] } }
%include "common.inc"
%define TURNS 20
%macro BIG 0                                    ; too large to be held in the place of its call
  %rep 20
  nop
  %endrep
%endmacro
%macro LOOP_OF 1                                ; begins a loop at a local label; its end is LOOP_END
  mov dword [turns], TURNS
%1:
%endmacro
%macro LOOP_END 1
  dec dword [turns]
  jnz %1
%endmacro
main:
  ; where am I?
  xor ebx, ebx
  LOOP_OF .where
  call .next
.next:
  pop eax
  sub eax, .next
  add ebx, eax
  call near_next                                ; far from what is behind it
.back_near:
  add ebx, eax
  LOOP_END main.where
  TOLOG ebx
  ; a target that was pushed by hand
  xor ebx, ebx
  LOOP_OF .push
  push dword .pushed
  ret
  ud2
.pushed:
  inc ebx
  push dword 7
  push dword .pushed4
  ret 4
  ud2
.pushed4:
  inc ebx
  LOOP_END .push
  TOLOG ebx
  ; a jump by a thunk
  xor ebx, ebx
  LOOP_OF .thunk
  mov eax, .landed
  jmp thunk
  ud2
.landed:
  inc ebx
  mov eax, one
  call thunk
  LOOP_END .thunk
  TOLOG ebx
  ; a return address is changed, by a small function and by a large one
  xor ebx, ebx
  LOOP_OF .change
  call skip_small
  ud2
  call skip_big
  ud2
  inc ebx
  LOOP_END .change
  TOLOG ebx
  ; the caller's caller is returned to
  xor ebx, ebx
  LOOP_OF .two
  call outer
  LOOP_END .two
  TOLOG ebx
  ; a return address is pushed again: the callee returns, and its address is there still
  xor ebx, ebx
  LOOP_OF .again
  call twice
.twice:
  pop eax
  sub eax, .twice
  add ebx, eax
  inc ebx
  LOOP_END .again
  TOLOG ebx
  ; it is read
  xor ebx, ebx
  LOOP_OF .read
  call reader
.behind:
  sub eax, .behind
  add ebx, eax
  inc ebx
  LOOP_END .read
  TOLOG ebx
  ; many callers are given up at once
  xor ebx, ebx
  LOOP_OF .unwind
  mov [kept], esp
  mov ecx, 100
  call deeper
  ud2
.unwound:
  inc ebx
  LOOP_END .unwind
  TOLOG ebx
  ; two stacks, each of which calls and returns
  xor ebx, ebx
  xor edx, edx
  mov eax, DATA + 0x1000
  mov dword [eax], other
  mov [stack], eax
  LOOP_OF .stacks
  call switch
  inc ebx
  call one
  LOOP_END .stacks
  TOLOG ebx
  TOLOG edx
  ; the callee writes what is behind the call
  xor ebx, ebx
  LOOP_OF .written
  mov eax, [turns]
  call writes
  db 0xb8                                       ; mov eax, imm32
.imm:
  dd 0
  add ebx, eax
  LOOP_END .written
  TOLOG ebx
  DONE

near_next:
  pop eax
  sub eax, main.back_near
  jmp main.back_near
thunk:
  call .set
.capture:
  pause
  jmp .capture
.set:
  mov [esp], eax
  ret
one:
  inc ebx
  ret
skip_small:
  add dword [esp], 2
  ret
skip_big:
  BIG
  add dword [esp], 2
  ret
outer:
  call inner
  ud2
inner:
  inc ebx
  BIG
  add esp, 4
  ret
twice:
  push dword [esp]
  ret
reader:
  mov eax, [esp]
  ret
deeper:
  dec ecx
  jz .out
  call deeper
  ud2
.out:
  mov esp, [kept]
  jmp main.unwound
switch:
  BIG
  xchg esp, [stack]
  ret
other:
  inc edx
  call .inside
  call switch
  jmp other
.inside:
  inc edx
  ret
writes:
  mov [main.imm], eax
  ret
align 4
turns: dd 0
kept: dd 0
stack: dd 0
EPILOGUE
