; TLB shoot-downs under load. CPU 0 changes the mapping of a page, tells the others by an IPI (they INVLPG and acknowledge), and then nobody may use the old
; mapping: the frame that was behind it, filled with a pattern through another mapping, stays as it is, and the pattern is seen by nobody. The others
; read and write the page in loops of several kinds meanwhile. Then accessed and dirty bits: none is lost, and setting them loses no other change of an entry.
; n: rounds of each part.
%include "smp.inc"
%include "paging.inc"

%define FRAME0 0x300000
%define FRAME1 0x301000
%define FRAME2 0x302000                         ; the page behind, for accesses across pages
%define PAGE_AT WINDOW
%define POISON 0xdead0000                       ; plus the number of the word
%define IPI 0x40
%define WORDS 1024
%define MARKS 64                                ; pages for accessed and dirty bits, from page 16 of the window on
%define MARK_PAGE 16
%define MARK_FRAMES 0x400000
%define FLIP_PAGES 4                            ; of those
%define SWAP_PAGE 8

cpu_main:
  test ebx, ebx
  jnz .tables
  call make_tables
  GATE IPI, on_ipi
  GATE 14, on_page_fault
  MAP 0, FRAME0
  MAP 1, FRAME2
  mov esi, 0
.marks:
  mov eax, esi
  shl eax, 12
  add eax, MARK_FRAMES | 3
  mov [TABLE + (MARK_PAGE + esi) * 4], eax
  inc esi
  cmp esi, MARKS
  jb .marks
.tables:
  call barrier
  call paging_on

%macro PART 2                                   ; name, what the manager does each round
  mov dword [over], 0
  call barrier
  test ebx, ebx
  jz %%manager
  sti
  call access
  cli
  jmp %%done
%%manager:
  mov ecx, [n]
%%round:
  call %2
  call breathe
  dec ecx
  jnz %%round
  mov dword [over], 1
%%done:
  VERDICT %1
%endmacro
%macro VERDICT 1
  call barrier
  test ebx, ebx
  jnz %%out
  cmp dword [wrong], 0
  jne %%bad
  LINE %1, " ok (", [faults], " faults, ", [passes], " passes)"
  jmp %%clear
%%bad:
  LINE %1, ": wrong ", [wrong], " times, once ", [wrong_what]
%%clear:
  mov dword [wrong], 0
  mov dword [faults], 0
  mov dword [passes], 0
%%out:
  call barrier
%endmacro
  PART "remap", remap
  PART "unmap", unmap
  PART "protect", protect
  call mark_bits
  VERDICT "marks"
  call flips
  VERDICT "flips"
  call swap_out
  VERDICT "swap"
  FINISH 0

; The others get some time with each state, some rounds more, so that their loops are translated.
breathe:
  push ecx
  push edx
  mov edx, 200000
  test ecx, 31
  jnz .short
  mov edx, 2000000
.short:
  push edx
  rdtsc
  mov ecx, eax
  pop edx
.wait:
  pause
  push edx
  rdtsc
  pop edx
  sub eax, ecx
  cmp eax, edx
  jb .wait
  pop edx
  pop ecx
  ret

shoot_down:
  push eax
  mov eax, [cpus]
  dec eax
  invlpg [PAGE_AT]
  mov dword [acknowledged], 0
  mov dword [LAPIC + 0x300], 0xc4000 | IPI
.wait:
  pause
  cmp [acknowledged], eax
  jne .wait
  pop eax
  ret
on_ipi:
  invlpg [PAGE_AT]
  invlpg [PAGE_AT + SWAP_PAGE * 4096]
  lock inc dword [acknowledged]
  mov dword [LAPIC + 0xb0], 0
  iret
on_page_fault:                                  ; it may be mapped by the time that we look again
  lock inc dword [faults]
  add esp, 4
  sti
  pause
  iret

; Fills frame EDI with the pattern; waits; it must be as it was.
poison:
  push ecx
  xor esi, esi
.fill:
  lea eax, [esi + POISON]
  mov [edi + esi * 4], eax
  inc esi
  cmp esi, WORDS
  jb .fill
  call breathe_short
  call unharmed
  pop ecx
  ret
unharmed:
  xor esi, esi
.look:
  lea eax, [esi + POISON]
  cmp [edi + esi * 4], eax
  jne .bad
  inc esi
  cmp esi, WORDS
  jb .look
  ret
.bad:
  lock inc dword [wrong]
  mov eax, [edi + esi * 4]
  mov [wrong_what], eax
  ret
breathe_short:
  push ecx
  mov ecx, 1
  call breathe
  pop ecx
  ret
; Fills frame EDI with small numbers.
clean:
  push ecx
  push edi
  mov ecx, WORDS
  mov eax, 1
  rep stosd
  pop edi
  pop ecx
  ret

remap:                                          ; to the other frame, straight away
  mov edi, [current]
  xor edi, FRAME0 ^ FRAME1
  call clean
  mov edx, [current]
  mov [current], edi
  or edi, 3
  mov [TABLE], edi
  call shoot_down
  mov edi, edx
  jmp poison

unmap:                                          ; and map again, a while later, the other frame
  mov dword [TABLE], 0
  call shoot_down
  mov edi, [current]
  call poison
  mov edi, [current]
  xor edi, FRAME0 ^ FRAME1
  mov [current], edi
  call clean
  or edi, 3
  mov [TABLE], edi
  ret

protect:                                        ; the page is there to be read, and nobody changes it
  mov eax, [current]
  or eax, 1
  mov [TABLE], eax
  call shoot_down
  call sum
  mov edx, eax
  call breathe_short
  call sum
  cmp eax, edx
  je .right
  lock inc dword [wrong]
  mov [wrong_what], eax
.right:
  mov edi, [current]
  call clean
  mov eax, [current]
  or eax, 3
  mov [TABLE], eax
  ret
sum:
  mov edi, [current]
  xor esi, esi
  xor eax, eax
.next:
  add eax, [edi + esi * 4]
  rol eax, 1
  inc esi
  cmp esi, WORDS
  jb .next
  ret

; Loops over the page until CPU 0 says that it is over. Numbers stay small: none is like the pattern.
access:
  push ebp
  push ebx
.pass:
  ; a sum; nothing of the pattern is in it
  mov esi, PAGE_AT
  xor edx, edx
.sum:
  mov eax, [esi]
  or edx, eax
  add esi, 4
  cmp esi, PAGE_AT + 4096
  jb .sum
  test edx, 0x80000000
  jnz .seen
  ; adding in memory
  xor ecx, ecx
.add:
  add dword [PAGE_AT + ecx * 4], 3
  and dword [PAGE_AT + ecx * 4], 0x800fffff
  inc ecx
  cmp ecx, WORDS
  jb .add
  ; loads and stores in one loop
  mov edi, PAGE_AT
  mov ebp, PAGE_AT + 2048
  mov ecx, 512
.copy:
  mov eax, [edi]
  test eax, eax
  js .seen
  mov [ebp], eax
  add edi, 4
  add ebp, 4
  dec ecx
  jnz .copy
  ; strings
  mov edi, PAGE_AT + 64
  mov ecx, 200
  mov eax, ebx
  rep stosd
  mov esi, PAGE_AT
  mov edi, PAGE_AT + 1024
  mov ecx, 512
  rep movsb
  ; locked instructions, and accesses that go on in the next page
  mov ecx, 64
.locked:
  lock inc dword [PAGE_AT + 128 + ecx * 4]
  mov eax, [PAGE_AT + 256 + ecx * 4]
  test eax, eax
  js .seen
  dec ecx
  jnz .locked
  mov word [PAGE_AT + 4095], 0x0101
  lock xadd [PAGE_AT + 512], cl
  push dword [PAGE_AT + 4]
  pop dword [PAGE_AT + 8]
  jmp .on
.seen:
  lock inc dword [wrong]
  mov [wrong_what], eax
.on:
  lock inc dword [passes]
  cmp dword [over], 0
  je .pass
  pop ebx
  pop ebp
  ret

; Even CPUs read all the pages, odd ones write them, at the same time; CPU 0 sets a bit of its own in the entries meanwhile. All entries have A, D and
; that bit then.
mark_bits:
  mov ecx, [n]
.round:
  call barrier
  test ebx, ebx
  jnz .cleared
  xor esi, esi
.clear:
  and dword [TABLE + (MARK_PAGE + esi) * 4], ~0x260
  inc esi
  cmp esi, MARKS
  jb .clear
.cleared:
  call barrier
  mov eax, cr3
  mov cr3, eax
  call barrier
  xor esi, esi
  test bl, 1
  jnz .write
.read:
  mov edi, esi
  shl edi, 12
  mov eax, [WINDOW + (MARK_PAGE << 12) + edi]
  test ebx, ebx
  jnz .read_on
  lock or dword [TABLE + (MARK_PAGE + esi) * 4], 0x200
.read_on:
  inc esi
  cmp esi, MARKS
  jb .read
  jmp .done
.write:
  mov edi, esi
  shl edi, 12
  mov [WINDOW + (MARK_PAGE << 12) + edi + ebx * 4], ecx
  inc esi
  cmp esi, MARKS
  jb .write
.done:
  call barrier
  test ebx, ebx
  jnz .next
  xor esi, esi
.look:
  mov eax, [TABLE + (MARK_PAGE + esi) * 4]
  mov edx, eax
  and edx, 0x260
  cmp edx, 0x260
  je .marked
  lock inc dword [wrong]
  mov [wrong_what], eax
.marked:
  inc esi
  cmp esi, MARKS
  jb .look
.next:
  dec ecx
  jnz .round
  ret

; CPU 0 flips a bit of its own in the entries of a few pages and finds it each time as it left it. The others' walks set A and D in them all the while.
flips:
  mov dword [over], 0
  call barrier
  test ebx, ebx
  jz .manager
.walker:
  xor esi, esi
.walk:
  mov edi, esi
  shl edi, 12
  lock and dword [TABLE + (MARK_PAGE + esi) * 4], ~0x60
  invlpg [WINDOW + (MARK_PAGE << 12) + edi]
  mov [WINDOW + (MARK_PAGE << 12) + edi + ebx * 4], esi
  inc esi
  cmp esi, FLIP_PAGES
  jb .walk
  lock inc dword [passes]
  cmp dword [over], 0
  je .walker
  ret
.manager:
  imul ecx, [n], 200
  mov edx, [TABLE + MARK_PAGE * 4]              ; all are as they were left by the part before
  shl edx, 31 - 9
  sar edx, 31
.round:
  xor esi, esi
.flip:
  lock btc dword [TABLE + (MARK_PAGE + esi) * 4], 9
  sbb eax, eax
  cmp eax, edx
  je .as_left
  lock inc dword [wrong]
  mov eax, [TABLE + (MARK_PAGE + esi) * 4]
  mov [wrong_what], eax
.as_left:
  inc esi
  cmp esi, FLIP_PAGES
  jb .flip
  not edx
  cmp [passes], ecx
  jb .round
  mov dword [over], 1
  ret

; CPU 0 takes pages away by XCHG and looks at what it got: where D was clear, nobody had written, and nobody does later; and the entry stays 0.
; The others write counters into the pages; a fault makes them wait.
swap_out:
  mov dword [over], 0
  test ebx, ebx
  jnz .prepared
  mov dword [TABLE + SWAP_PAGE * 4], 0          ; not there: nobody writes before the first sum
.prepared:
  call barrier
  test ebx, ebx
  jz .manager
  sti
.writer:
  inc dword [PAGE_AT + SWAP_PAGE * 4096 + ebx * 4]
  invlpg [PAGE_AT + SWAP_PAGE * 4096]           ; so that each store walks the tables
  lock inc dword [passes]
  cmp dword [over], 0
  je .writer
  cli
  ret
.manager:
  mov ecx, [n]
.round:
  xor esi, esi                                  ; what is in the page, as a sum
  mov edx, FRAME0
  call sum_of_page
  mov ebp, eax
  mov dword [TABLE + SWAP_PAGE * 4], FRAME0 | 3 ; clean
  mov edx, ecx
  and edx, 15
.short:
  pause
  dec edx
  jns .short
  xor eax, eax
  xchg eax, [TABLE + SWAP_PAGE * 4]
  mov edi, eax
  call shoot_down
  call sum_of_page
  cmp dword [TABLE + SWAP_PAGE * 4], 0
  jne .bad
  cmp eax, ebp
  je .on
  test edi, 0x40                                ; it was written: the entry must say so
  jz .bad
  mov edx, eax
  call breathe_short
  call sum_of_page
  cmp eax, edx
  je .on
.bad:
  lock inc dword [wrong]
  mov [wrong_what], edi
.on:
  dec ecx
  jnz .round
  mov dword [over], 1
  mov dword [TABLE + SWAP_PAGE * 4], FRAME0 | 3
  ret
sum_of_page:
  xor eax, eax
  xor esi, esi
.next:
  add eax, [FRAME0 + esi * 4]
  inc esi
  cmp esi, MAX_CPUS
  jb .next
  ret

align 64, db 0
over: dd 0
current: dd FRAME0
  align 64, db 0
acknowledged: dd 0
  align 64, db 0
wrong: dd 0
wrong_what: dd 0
faults: dd 0
  align 64, db 0
passes: dd 0
  align 64, db 0

%include "end.inc"
