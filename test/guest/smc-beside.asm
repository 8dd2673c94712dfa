; { "about": "hot loops that store beside their own code, into bytes that become code later, reach into code or come to it: by read-modify-writes, moving and still addresses, 16 bytes, an alias of the page, and seldom", "mode": "paged",
;   "expect": { "log": ["00000bb8", "00001770", "00002328", "00002ee0", "00003a98", "00004650", "000000b8", "00000070", "00000028", "000000e0", "00000098", "00000050", "00000044", "00000043", "00000042", "00000041", "00000028", "00000050", "00000078", "000000a0", "00000bb7", "0000176e", "00002325", "00001770", "00002ee0", "00004650", "00005dc0", "0002111a", "00000064", "000000c8", "0000012c", "00000190", "00002ee0", "00000004", "00000003", "00000002", "00000001"] } }
%include "common.inc"
%define TURNS 3000
; Runs what stands at %1 and logs EAX.
%macro RUN 1
  mov ebx, %1
  xor eax, eax
  call ebx
  TOLOG eax
%endmacro
main:
  mov eax, cr4
  or eax, 0x600
  mov cr4, eax
  PAGING_ON

  ; a counter that is an immediate of code which runs between the rounds only
  mov edx, 6
.still:
  mov ecx, TURNS
.a:
  inc dword [one + 1]
  dec ecx
  jnz .a
  RUN one
  dec edx
  jnz .still

  ; the same by a register, where half of what is counted is data and half code; and a load of code that is next to it
  mov edi, two - 2
  mov edx, 6
.half:
  mov ecx, TURNS
.b:
  add dword [edi], 0x1000000
  movzx eax, byte [edi + 4]
  add esi, eax
  dec ecx
  jnz .b
  RUN two
  dec edx
  jnz .half

  ; a loop that comes down to code in the page, by strides over data
  mov edx, 4
.down:
  lea edi, [three + 1 + 8 * 64]
  lea eax, [edx + 0x40]
.c:
  mov [edi], al
  sub edi, 8
  cmp edi, three
  ja .c
  RUN three
  dec edx
  jnz .down

  ; two loops with one head: the outer one counts beside itself, at last in what is code by then
  mov esi, 4
.seldom:
  mov ecx, 40
.o:
  mov edx, 100
.d:
  add eax, edx
  dec edx
  jnz .d
  inc dword [four + 1]
  dec ecx
  jnz .o
  RUN four
  dec esi
  jnz .seldom

  ; 16 bytes and 8 of them
  mov edx, 3
.wide:
  mov ecx, TURNS
  movups xmm0, [five]
.e:
  movups [five], xmm0
  movlps [five + 16], xmm0
  paddd xmm0, [add1]
  dec ecx
  jnz .e
  RUN five
  dec edx
  jnz .wide

  ; through an alias, once a turn in both mappings
  mov eax, six
  and eax, 0xfffff000
  or eax, 7
  mov [PTE(0x66000)], eax
  invlpg [0x66000]
  mov edi, six
  and edi, 0xfff
  add edi, 0x66000
  mov edx, 4
.alias:
  mov ecx, TURNS
.f:
  inc dword [edi + 1]
  inc dword [six + 1]
  dec ecx
  jnz .f
  RUN six
  dec edx
  jnz .alias

  ; each turn what was just stored is run
  mov ecx, 300
  xor edx, edx
  mov ebx, seven
.g:
  add dword [seven + 1], 3
  call ebx
  add edx, eax
  dec ecx
  jnz .g
  TOLOG edx

  ; a loop that counts beside code, and at once another one, in code
  mov edx, 4
.both:
  mov ecx, TURNS
.i:
  inc dword [data]
  dec ecx
  jnz .i
  mov ecx, 100
.j:
  inc dword [nine + 1]
  dec ecx
  jnz .j
  RUN nine
  dec edx
  jnz .both
  mov eax, [data]
  TOLOG eax

  ; plain stores and pushes beside code, that go on when it is code
  mov edx, 4
.push:
  mov ecx, TURNS
  mov ebp, esp
  lea esp, [eight + 5]
.h:
  push ecx
  mov [eight + 9], ecx
  pop eax
  dec ecx
  jnz .h
  push edx
  mov esp, ebp
  RUN eight
  dec edx
  jnz .push
  DONE
%macro CODE_WITH_IMMEDIATE 1                    ; mov eax, 0; ret; among data
  align 64
  times 13 db 0
%1:
  db 0xb8
  dd 0
  ret
  times 16 db 0
%endmacro
CODE_WITH_IMMEDIATE one
  times 2 db 0
two:
  mov al, 0
  ret
CODE_WITH_IMMEDIATE three
  times 512 db 0
CODE_WITH_IMMEDIATE four
align 16
five:
  db 0xb8
  dd 0
  ret
  times 18 db 0x90
align 16
add1:
  dd 0x100, 0, 0, 0
CODE_WITH_IMMEDIATE six
CODE_WITH_IMMEDIATE seven
CODE_WITH_IMMEDIATE eight
CODE_WITH_IMMEDIATE nine
data:
  dd 0
EPILOGUE
