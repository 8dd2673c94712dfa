; { "about": "instruction breakpoints among code that is hot: each time, at the instruction and nowhere else, wherever in a block it is, also when it is set by a callee or moved; RF holds one off for one instruction only", "mode": "protected",
;   "expect": { "log": ["00000012", "00000001", "00000020", "00000005", "00000002", "00000032", "00000008", "00000004", "00000032", "00000005", "00000002", "00000031", "00000008", "00000004", "00000031", "11111111", "0000000b", "00000001", "00000004", "0000000b", "00000001", "00000003", "000009ba", "00000002", "00000002", "0000000b", "00000001", "00000002", "000009ba", "00000002", "00000001", "0000000b", "00000001", "00000001", "22222222", "00000016", "00000001", "00000003", "00000016", "00000001", "00000002", "00000016", "00000001", "00000001", "33333333"] } }
%include "breakpoints.inc"
  mov dword [resume], 1
; A loop gets hot, then a breakpoint comes into the middle of its block; it moves into the middle of an instruction, then there are more, which the handler removes.
  mov ebp, 5
.rounds:
  FROM
  mov ecx, 50
.loop:
  add ebx, ecx                                  ; +5
  inc edx                                       ; +7
.middle:
  xor edi, ebx                                  ; +8
  test ecx, 31                                  ; +10
  jnz .odd                                      ; +16
.seldom:
  inc esi                                       ; +18: one turn in 32
.odd:
  dec ecx                                       ; +19
  jnz .loop                                     ; +20
  cmp ebp, 5
  jne .not_first
  ARM 0, .seldom, EXECUTE
.not_first:
  cmp ebp, 4
  jne .not_second
  ARM 0, .middle + 1, EXECUTE                   ; no instruction begins there
.not_second:
  cmp ebp, 3
  jne .not_third
  ARM 1, .loop, EXECUTE
  ARM 2, .middle, EXECUTE
  ARM 0, .seldom, EXECUTE
  mov dword [limit], 4
.not_third:
  dec ebp
  jnz .rounds
  TOLOG 0x11111111
; Set by a callee in the code that waits for its return, and in the callee itself.
  DISARM
  FROM
  mov ecx, 6
.calls:
  call function
  inc ebx
.then:
  inc esi
  dec ecx
  jnz .calls
  TOLOG 0x22222222
; RF in the image that IRET pops is for the next instruction alone.
  DISARM
  ARM 0, .next, EXECUTE
  ARM 1, .last, EXECUTE
  FROM
  mov ecx, 3
.resumes:
  pushfd
  or dword [esp], 0x10000
  push CODE0
  push .first
  iretd
.first:
  inc ebx
.next:
  inc ebx
  dec ecx
  jnz .resumes
  pushfd
  or dword [esp], 0x10000
  push CODE0
  push .last
  iretd
.last:
  inc ebx
  DISARM
  TOLOG 0x33333333
  DONE
  align 4096
function:
  cmp ecx, 4
  jne .no_first
  ARM 0, main.then, EXECUTE
.no_first:
  cmp ecx, 2
  jne .no_second
  ARM 1, .end, EXECUTE
.no_second:
  inc edi
.end:
  ret
EPILOGUE
