; { "about": "PUSH, CALL, PUSHA, ENTER, POP and LEAVE that fault leave ESP, EBP and the registers as they were", "mode": "paged",
;   "qemu": { "skipTcg": "its PUSHA writes the lowest dword first; a processor in user mode reports the highest" },
;   "expect": { "log": ["ee0e0006", "00064ffc", "00065000", "ee0e0006", "00064ffc", "00065000", "ee0e0006", "00064ffc", "00065010", "ee0e0006", "00064ffc", "00065000", "00066000", "ee0e0004", "00064000", "00064000", "12345678",
;     "ee0e0004", "00064010", "00066020", "00064010", "ee0e0004", "00064008", "ee0e0007", "00067000", "00066020", "ee0e0006", "00064ffe"] } }
%include "common.inc"
%macro ESP_TO_LOG 0                             ; and on to a stack that is there
  mov edx, esp
  mov esp, 0x66000
  TOLOG edx
%endmacro
main:
  PAGING_ON
  SET_CR0 CR0_WP
  SET_PTE 0x64000, 0
  SET_PTE 0x67000, 0x67005
  ; The handlers need a good stack, so these run in ring 3 and the handlers on TSS.ESP0.
  ENTER_USER user
  DONE
user:
  mov esp, 0x65000
  TRY push eax
  ESP_TO_LOG
  mov esp, 0x65000
  TRY call user
  ESP_TO_LOG
  mov esp, 0x65010
  TRY pushad                                    ; the first four would fit
  ESP_TO_LOG
  mov ebp, 0x66000
  mov esp, 0x65000
  TRY enter 16, 0
  ESP_TO_LOG
  TOLOG ebp
  mov eax, 0x12345678
  mov esp, 0x64000
  TRY pop eax
  ESP_TO_LOG
  TOLOG eax
  mov ebp, 0x64010
  mov esp, 0x66020
  TRY leave
  ESP_TO_LOG
  TOLOG ebp
  mov esp, 0x64008
  TRY ret
  mov esp, 0x66020
  TRY pop dword [0x67000]                       ; the write faults: ESP is not incremented
  ESP_TO_LOG
  mov esp, 0x65002
  TRY push eax                                  ; a push across pages
  mov esp, 0x66000
  LEAVE_USER
EPILOGUE
