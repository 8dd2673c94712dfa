; { "about": "an instruction across two pages whose frames are not neighbours, then with the second one missing", "mode": "paged",
;   "expect": { "log": ["11223344", "ee0e0000", "00065000", "00000000", "55667788"] } }
%include "common.inc"
main:
  PAGING_ON
  mov word [0x64ffe], 0x44b8                    ; mov eax, imm32 with three bytes on the next page
  mov dword [0x65000], 0xc3112233               ; ret
  call 0x64ffe
  TOLOG eax
  mov dword [0x67000], 0xc3556677
  mov byte [0x64fff], 0x88
  SET_PTE 0x65000, 0
  xor eax, eax
  EXPECT 0x64ffe, .after
  push dword .after                             ; the fault comes with this still on the stack
  jmp 0x64ffe
.after:
  add esp, 4
  TOLOG eax
  SET_PTE 0x65000, 0x67007
  call 0x64ffe
  TOLOG eax
  DONE
EPILOGUE
