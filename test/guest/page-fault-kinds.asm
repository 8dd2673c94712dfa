; { "about": "page faults: error code and CR2 for not present, read-only with and without WP, supervisor pages, reads, writes and fetches", "mode": "paged",
;   "qemu": { "skipTcg": "it reports XCHG as a read; a processor in user mode reports a write" },
;   "expect": { "log": ["ee0e0000", "00064010", "ee0e0002", "00064020", "ee0e0000", "00400000", "ee0e0002", "00400004",
;     "ee0e0003", "00065008", "ee0e0000", "00064000", "aaaaaaaa",
;     "ee0e0005", "00066000", "ee0e0007", "00066004", "ee0e0007", "00065000", "ee0e0004", "00064000", "ee0e0006", "00064001", "ee0e0007", "00066010", "55555555"] } }
%include "common.inc"
main:
  PAGING_ON
  mov dword [PTE(0x64000)], 0                   ; not present
  mov dword [PTE(0x65000)], 0x65005             ; read-only, user
  mov dword [PTE(0x66000)], 0x66003             ; supervisor
  mov eax, cr3
  mov cr3, eax
  TRY mov eax, [0x64010]
  TRY mov [0x64020], eax
  TRY mov eax, [0x400000]                       ; no table
  TRY mov [0x400004], al
  mov [0x65008], eax                            ; WP is clear: the supervisor may write
  SET_CR0 CR0_WP
  TRY mov [0x65008], eax
  mov ecx, 0x64000
  mov [fault_at], ecx                           ; a fetch: EIP is the target
  mov dword [resume_at], .fetch
  jmp ecx
.fetch:
  TOLOG 0xaaaaaaaa
  ENTER_USER user
  TOLOG 0x55555555
  DONE
user:
  TRY mov eax, [0x66000]
  TRY mov [0x66004], eax
  TRY inc dword [0x65000]                       ; a read-modify-write faults as a write
  TRY mov eax, [0x64000]
  TRY mov [0x64001], eax
  TRY xchg [0x66010], ecx
  LEAVE_USER
EPILOGUE
