; { "about": "accesses that cross into a page that is not present: CR2 is the second page, the first page keeps its bytes, registers stay", "mode": "paged",
;   "qemu": { "skipTcg": "it reports ADD to memory as a read; a processor in user mode reports a write" },
;   "expect": { "log": ["ee0e0002", "00065000", "44332211", "ee0e0000", "00065000", "cafebabe", "ee0e0002", "00065000", "44332211", "ee0e0003", "00065000", "44332211", "ee0e0002", "00064000", "ee0e0000", "00064ffe", "88776655", "b0b0b0b0"] } }
%include "common.inc"
main:
  mov dword [0x64ffc], 0x44332211
  mov dword [0x65000], 0x88776655
  PAGING_ON
  SET_CR0 CR0_WP
  SET_PTE 0x65000, 0
  mov eax, 0xcafebabe
  TRY mov [0x64ffe], eax
  mov ebx, [0x64ffc]
  TOLOG ebx
  TRY mov eax, [0x64ffd]
  TOLOG eax
  TRY add [0x64fff], eax
  mov ebx, [0x64ffc]
  TOLOG ebx
  SET_PTE 0x65000, 0x65005                      ; read-only: a read may cross, a write may not
  TRY xchg [0x64ffe], eax
  mov ebx, [0x64ffc]
  TOLOG ebx
  mov dword [PTE(0x64000)], 0
  mov dword [PTE(0x65000)], 0
  invlpg [0x64000]
  invlpg [0x65000]
  TRY mov dword [0x63ffe], 0xffffffff
  TRY mov eax, [0x64ffe]                        ; both missing: the first is named
  SET_PTE 0x65000, 0x65007
  mov ebx, [0x65000]
  TOLOG ebx
  mov dword [PTE(0x64000)], 0x66007             ; two pages whose frames are not neighbours
  mov dword [0x66ffc], 0
  invlpg [0x64000]
  mov dword [0x64ffe], 0xb0b0b0b0
  mov ax, [0x66ffe]
  shl eax, 16
  mov ax, [0x65000]
  TOLOG eax
  DONE
EPILOGUE
