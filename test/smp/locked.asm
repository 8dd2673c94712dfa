; Locked instructions: totals are exact, whatever the size and the alignment of the operand. Each operation is run on an aligned word first, so often that
; it is translated, then on one that lies across the middle of a cache line, across two lines, and across two pages that are no neighbours in memory.
; n: times that each CPU does it on aligned words, an even number; a 4096th part of it on others.
%include "smp.inc"
%include "paging.inc"

%define FRAME0 0x300000                         ; the two pages of the window
%define FRAME1 0x280000
%define CELL (WINDOW + 0x800)                   ; aligned to a cache line
%define CODE_FRAME 0x310000
%define CODE_PAGE (WINDOW + 0x2000)
%define RESULTS FREE                            ; a cache line for each CPU

; An operation: label, bytes, what is in memory first, then per CPU. Called with EDI the address, ECX the number of times, EBX the CPU, EBP its line of
; results. Checked by label_check with ESI the total number of times (of all CPUs): EAX (and EDX) is what must be in memory.
%macro OPERATION 2
  dd %1, %1_check, %2, %1_name
%endmacro
%macro NAME 2
%1_name: db %2, 0
%endmacro

; Adding, of all kinds and sizes.
%macro ADDING 4+                                ; label, name, what one adds (the low 32 bits), instructions
NAME %1, %2
%1:
%%next:
  %4
  dec ecx
  jnz %%next
  ret
%1_check:
  imul eax, esi, %3
  ret
%endmacro
ADDING inc32, "inc32", 1, lock inc dword [edi]
ADDING inc16, "inc16", 1, lock inc word [edi]
ADDING inc8, "inc8", 1, lock inc byte [edi]
ADDING dec32, "dec32", -1, lock dec dword [edi]
ADDING add32, "add32", 0x10003, lock add dword [edi], 0x10003
ADDING add16, "add16", 0x103, lock add word [edi], 0x103
ADDING add8, "add8", 7, lock add byte [edi], 7
ADDING sub32, "sub32", -5, lock sub dword [edi], 5

NAME xadd32, "xadd32"
xadd32:                                         ; what is found in memory differs each time: the sum of all is known
  mov eax, 3
  lock xadd [edi], eax
  add [ebp], eax
  dec ecx
  jnz xadd32
  ret
xadd32_check:
  lea eax, [esi + esi * 2]
  push eax
  push ecx
  mov ecx, esi                                  ; 3 * (0 + 1 + ... + total - 1); the total is even
  shr ecx, 1
  lea eax, [esi - 1]
  imul ecx, eax
  lea ecx, [ecx + ecx * 2]
  call sum_results
  cmp eax, ecx
  pop ecx
  pop eax
  je .right
  mov eax, -1
.right:
  ret

NAME xadd8, "xadd8"
xadd8:
  mov al, 3
  lock xadd [edi], al
  dec ecx
  jnz xadd8
  ret
xadd8_check:
  lea eax, [esi + esi * 2]
  ret

NAME cmpxchg32, "cmpxchg32"
cmpxchg32:
  mov eax, [edi]
.again:
  lea edx, [eax + 9]
  lock cmpxchg [edi], edx
  jne .again
  dec ecx
  jnz cmpxchg32
  ret
cmpxchg32_check:
  lea eax, [esi + esi * 8]
  ret

NAME cmpxchg16, "cmpxchg16"
cmpxchg16:
  mov ax, [edi]
.again:
  lea edx, [eax + 9]
  lock cmpxchg [edi], dx
  jne .again
  dec ecx
  jnz cmpxchg16
  ret
cmpxchg16_check:
  lea eax, [esi + esi * 8]
  ret

NAME cmpxchg8b, "cmpxchg8b"
cmpxchg8b:                                      ; the high word goes up by 2, the low one by 80000001H with its carry
  push ebx
  push ecx
.next:
  push ecx
  mov eax, [edi]
  mov edx, [edi + 4]
.again:
  mov ebx, eax
  mov ecx, edx
  add ebx, 0x80000001
  adc ecx, 2
  lock cmpxchg8b [edi]
  jne .again
  pop ecx
  dec ecx
  jnz .next
  pop ecx
  pop ebx
  ret
cmpxchg8b_check:
  mov eax, 0x80000001
  mul esi
  lea edx, [edx + esi * 2]
  ret

NAME xchg_lock, "xchg-lock"
xchg_lock:                                      ; a spin lock by XCHG; the counter that it protects lies elsewhere
  mov eax, 1
.again:
  xchg eax, [edi]
  test eax, eax
  jz .mine
  pause
  jmp .again
.mine:
  inc dword [counter]
  mov dword [edi], 0
  dec ecx
  jnz xchg_lock
  ret
xchg_lock_check:
  xor eax, eax
  cmp [counter], esi
  mov dword [counter], 0
  je .right
  mov eax, -1
.right:
  ret

; A bit of each CPU goes on and off; the last time it stays on. The bit must be as its CPU left it each time.
%macro OWN_BIT 6                                ; label, name, bytes, on, off, load
NAME %1, %2
%1:
  push ebx
  push ecx
  mov edx, ecx
  mov ecx, ebx
  mov eax, 1
  shl eax, cl
  mov ecx, edx
  mov edx, eax
  not edx
.next:
  %4
  call %%look
  jz .wrong
  dec ecx
  jz .out
  %5
  call %%look
  jz .next
.wrong:
  inc dword [ebp + 4]
.out:
  pop ecx
  pop ebx
  ret
%%look:
  push ebx
  %6
  test ebx, eax
  pop ebx
  ret
%1_check:
  mov ecx, [cpus]
  mov eax, 1
  shl eax, cl
  dec eax
  ret
%endmacro
OWN_BIT or_and8, "or/and8", 1, {lock or [edi], al}, {lock and [edi], dl}, {movzx ebx, byte [edi]}
OWN_BIT or_and16, "or/and16", 2, {lock or [edi], ax}, {lock and [edi], dx}, {movzx ebx, word [edi]}
OWN_BIT or_and32, "or/and32", 4, {lock or [edi], eax}, {lock and [edi], edx}, {mov ebx, [edi]}
OWN_BIT xor32, "xor32", 4, {lock xor [edi], eax}, {lock xor [edi], eax}, {mov ebx, [edi]}
OWN_BIT bts_btr, "bts/btr32", 4, {lock bts [edi], ebx}, {lock btr [edi], ebx}, {mov ebx, [edi]}
OWN_BIT btc, "btc16", 2, {lock btc [edi], bx}, {lock btc [edi], bx}, {movzx ebx, word [edi]}

ADDING not8, "not8", 0, lock not byte [edi]     ; even times
ADDING not32, "not32", 0, lock not dword [edi]
NAME neg32, "neg32"
neg32:                                          ; with subtractions of 1 on the way: -(x) and -(x) - 1 do not commute, so pairs: x -> -x -> x
  lock neg dword [edi]
  dec ecx
  jnz neg32
  ret
neg32_check:
  xor eax, eax
  ret

align 4
operations:
  OPERATION inc32, 4
  OPERATION inc16, 2
  OPERATION inc8, 1
  OPERATION dec32, 4
  OPERATION add32, 4
  OPERATION add16, 2
  OPERATION add8, 1
  OPERATION sub32, 4
  OPERATION xadd32, 4
  OPERATION xadd8, 1
  OPERATION cmpxchg32, 4
  OPERATION cmpxchg16, 2
  OPERATION cmpxchg8b, 8
  OPERATION xchg_lock, 4
  OPERATION or_and8, 1
  OPERATION or_and16, 2
  OPERATION or_and32, 4
  OPERATION xor32, 4
  OPERATION bts_btr, 4
  OPERATION btc, 2
  OPERATION not8, 1
  OPERATION not32, 4
  OPERATION neg32, 4
  dd 0

; Places of an operand: text, address for 2, 4, 8 bytes.
places:
  dd place0, CELL, CELL, CELL, CELL
  dd place1, 0, CELL + 5, CELL + 5, CELL + 4
  dd place2, 0, CELL + 63, CELL + 61, CELL + 60
  dd place3, 0, WINDOW + 0xfff, WINDOW + 0xffd, WINDOW + 0xffb
.again:                                         ; by now it is translated
  dd place4, CELL, CELL, CELL, CELL
  dd 0
place0: db "aligned", 0
place1: db "misaligned", 0
place2: db "lines", 0
place3: db "pages", 0
place4: db "again", 0

cpu_main:
  test ebx, ebx
  jnz .tables
  call make_tables
  MAP 0, FRAME0
  MAP 1, FRAME1
  MAP 2, CODE_FRAME
.tables:
  call barrier
  call paging_on
  mov ebp, ebx
  shl ebp, 6
  add ebp, RESULTS
  mov esi, operations
.operation:
  mov edx, places
.place:
  mov eax, [esi + 8]
  bsf eax, eax
  mov edi, [edx + 4 + eax * 4]
  test edi, edi
  jz .next
  mov ecx, [n]
  cmp edx, places
  je .often
  cmp edx, places.again
  je .often
  shr ecx, 12
.often:
  mov dword [ebp], 0
  mov dword [ebp + 4], 0
  call barrier
  push edx
  push esi
  push ecx
  call [esi]
  pop ecx
  pop esi
  pop edx
  call barrier
  test ebx, ebx
  jnz .checked
  call check
.checked:
  call barrier
.next:
  add edx, 20
  cmp dword [edx], 0
  jne .place
  add esi, 16
  cmp dword [esi], 0
  jne .operation
  call torn
  call neighbours
  call beside_code
  FINISH 0

sum_results:
  push ecx
  mov ecx, [cpus]
  push edx
  mov edx, RESULTS
  xor eax, eax
.next:
  add eax, [edx]
  add edx, 64
  dec ecx
  jnz .next
  pop edx
  pop ecx
  ret

; After operation ESI at place EDX, on EDI, ECX times by each CPU.
check:
  pushad
  mov ebp, ecx
  imul ebp, [cpus]
  mov ebx, [esi + 8]
  push esi
  push edx
  mov eax, [esi + 4]
  mov esi, ebp
  xor edx, edx
  call eax
  mov ecx, edx                                  ; ECX:EAX expected
  pop edx
  pop esi
  push eax
  SAY_AT [esi + 12]
  SAY "-"
  SAY_AT [edx]
  pop eax
  cmp ebx, 8
  je .eight
  xor ecx, ecx
  cmp ebx, 4
  je .four
  cmp ebx, 2
  je .two
  movzx edx, byte [edi]
  movzx eax, al
  jmp .compare
.two:
  movzx edx, word [edi]
  movzx eax, ax
  jmp .compare
.four:
  mov edx, [edi]
.compare:
  cmp eax, edx
  jne .wrong
  jmp .bits
.eight:
  mov edx, [edi]
  cmp ecx, [edi + 4]
  jne .wrong
  cmp eax, edx
  jne .wrong
.bits:
  mov ecx, [cpus]
  mov ebp, RESULTS
.bit:
  cmp dword [ebp + 4], 0
  jne .lost
  add ebp, 64
  dec ecx
  jnz .bit
  LINE " ok"
  jmp .out
.lost:
  LINE " a bit was lost"
  jmp .out
.wrong:
  LINE ": ", edx, " where there should be ", eax, " (high ", ecx, ")"
.out:
  mov dword [edi], 0
  mov dword [edi + 4], 0
  popad
  ret

; Aligned words that CPU 0 and all other even CPUs change by locked instructions are never seen half changed by plain loads of the others.
torn:
  call barrier
  mov ecx, [n]
  test bl, 1
  jnz .reader
.writer:
  movzx eax, cx
  imul eax, eax, 0x10001
  xchg [CELL], eax
  mov ax, cx
  mov ah, al
  xchg [CELL + 16], ax
  push ebx
  push ecx
  imul ebx, ecx, 0x01000193
  mov ecx, ebx
  mov eax, [CELL + 8]
  mov edx, eax
.again:
  lock cmpxchg8b [CELL + 8]
  jne .again
  pop ecx
  pop ebx
  dec ecx
  jnz .writer
  jmp .done
.reader:
  mov eax, [CELL]
  mov edx, eax
  ror edx, 16
  cmp eax, edx
  jne .broken
  mov ax, [CELL + 16]
  cmp al, ah
  jne .broken
  movq mm0, [CELL + 8]
  movd eax, mm0
  psrlq mm0, 32
  movd edx, mm0
  cmp eax, edx
  jne .broken
  dec ecx
  jnz .reader
  jmp .done
.broken:
  lock inc dword [broken]
.done:
  emms
  call barrier
  test ebx, ebx
  jnz .out
  cmp dword [broken], 0
  jne .bad
  LINE "torn ok"
  jmp .out
.bad:
  LINE "torn: ", [broken], " readers saw half a word"
.out:
  mov dword [CELL], 0
  call barrier
  ret

; Plain stores of bytes beside (and, for the aligned word, inside) what others change by locked instructions are not lost. CPU k has byte 8 + k of the
; line; CPU 0 counts in the misaligned words among these bytes, CPU 1 in the aligned word whose top byte CPU 0 stores to.
neighbours:
  mov edi, CELL + 128
  call barrier
  mov ecx, [n]
  shr ecx, 9
  mov edx, ecx
.next:
  test ebx, ebx
  jnz .others
  mov [edi + 3], cl                             ; inside CPU 1's word
  cmp [edi + 3], cl
  jne .lost
  lock inc dword [edi + 9]                      ; bytes 9 to 12; the top one is 0 for long
  jmp .on
.others:
  cmp ebx, 1
  jne .bytes
  lock inc dword [edi]
.bytes:
  mov [edi + 12 + ebx], cl                      ; CPU 1: byte 13, next to the word
  cmp [edi + 12 + ebx], cl
  jne .lost
.on:
  dec ecx
  jnz .next
  jmp .done
.lost:
  lock inc dword [lost]
.done:
  call barrier
  test ebx, ebx
  jnz .out
  mov eax, [edi]
  and eax, 0xffffff
  cmp eax, edx
  jne .bad
  cmp [edi + 9], edx
  jne .bad
  cmp dword [lost], 0
  jne .bad
  LINE "neighbours ok"
  jmp .out
.bad:
  LINE "neighbours: ", eax, " ", [edi + 9], " instead of ", edx, ", ", [lost], " bytes lost"
.out:
  call barrier
  ret

; Locked instructions on words in a page whose code all CPUs run: the code counts, too, in the same words.
beside_code:
  test ebx, ebx
  jnz .ready
  mov esi, counting
  mov edi, CODE_PAGE + 0x200
  mov ecx, counting.end - counting
  rep movsb
  mov dword [CODE_PAGE], 0
  mov dword [CODE_PAGE + 61], 0
  mov dword [CODE_PAGE + 128], 0
.ready:
  call barrier
  mov ecx, [n]
  shr ecx, 10
  mov edx, ecx
  mov edi, CODE_PAGE
.next:
  mov eax, CODE_PAGE + 0x200
  call eax
  lock inc dword [CODE_PAGE]
  lock add dword [CODE_PAGE + 61], 2
  mov eax, 1
  lock xadd [CODE_PAGE + 128], eax
  dec ecx
  jnz .next
  call barrier
  test ebx, ebx
  jnz .out
  imul edx, [cpus]
  mov eax, [CODE_PAGE + 128]
  cmp eax, edx
  jne .bad
  lea ecx, [edx + edx]
  mov eax, [CODE_PAGE]
  cmp eax, ecx
  jne .bad
  lea ecx, [ecx + edx]
  mov eax, [CODE_PAGE + 61]
  cmp eax, ecx
  jne .bad
  LINE "code ok"
  jmp .out
.bad:
  LINE "code: ", eax, " instead of ", ecx
.out:
  call barrier
  ret
counting:                                       ; copied to CODE_PAGE + 200H; EDI is the page
  lock inc dword [edi]
  lock inc dword [edi + 61]
  ret
.end:

align 64, db 0
counter: dd 0
  align 64, db 0
broken: dd 0
lost: dd 0

%include "end.inc"
