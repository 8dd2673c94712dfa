; { "about": "self-modifying code: the next instruction, the block itself in a loop, a later block, another page, through an alias of the page, by a store that crosses pages, by REP MOVS", "mode": "paged",
;   "expect": { "log": ["00000022", "0000000a", "00000033", "00000044", "00000055", "00000066", "77000066", "00000088", "00000099"] } }
%include "common.inc"
main:
  PAGING_ON
  ; the instruction behind the store
  mov byte [.a + 1], 0x22
.a:
  mov eax, 0x11
  TOLOG eax
  ; a loop that rewrites an immediate of itself each time: 1 + 2 + 3 + 4
  mov ecx, 4
  xor edx, edx
.loop:
  add edx, 1                                    ; 83 c2 01
  inc byte [.loop + 2]
  loop .loop
  TOLOG edx
  ; a block that has run already
  call victim
  mov byte [victim + 1], 0x33
  call victim
  TOLOG eax
  ; code on another page
  mov dword [0x64000], 0x000000b8               ; mov eax, 0; ret
  mov word [0x64004], 0xc300
  mov edx, 0x64000
  call edx
  mov byte [0x64001], 0x44
  call edx
  TOLOG eax
  ; through an alias: linear 0x66000 is the same frame
  SET_PTE 0x66000, 0x64007
  mov byte [0x66001], 0x55
  call edx
  TOLOG eax
  ; an instruction across pages, changed on its first and on its second page
  mov byte [0x64ffe], 0xb8
  mov dword [0x64fff], 0x00000000
  mov byte [0x65003], 0xc3
  mov edx, 0x64ffe
  call edx
  mov byte [0x64fff], 0x66
  call edx
  TOLOG eax
  mov byte [0x65002], 0x77
  call edx
  TOLOG eax
  ; a store across pages hits both
  mov dword [0x64ffe], 0x000088b8
  mov byte [0x65002], 0
  call edx
  TOLOG eax
  ; a whole routine by REP MOVS, over one that has run
  mov esi, template
  mov edi, 0x64000
  mov ecx, 6
  rep movsb
  mov edx, 0x64000
  call edx
  TOLOG eax
  DONE
victim:
  mov eax, 1
  ret
template:
  mov eax, 0x99
  ret
EPILOGUE
