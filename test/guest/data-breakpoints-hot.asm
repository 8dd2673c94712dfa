; { "about": "data breakpoints among code that is hot: each access that touches one traps behind its instruction (or iteration), by whatever instruction it is made, and no other access does", "mode": "protected",
;   "expect": { "log": ["00000011", "00000001", "00000300", "00000011", "00000001", "00000300", "00000011", "00000001", "00000300", "11111111", "0000000e", "00000001", "00000026", "0000000e", "00000001", "00000025", "22222222", "0000000f", "00000001", "00000002", "00000015", "00000001", "00000002", "0000001c", "00000001", "00000002", "0000002a", "00000001", "00000002", "00000031", "00000001", "00000002", "0000003e", "00000001", "00000002", "00000044", "00000001", "00000002", "0000004a", "00000001", "00000002", "00000051", "00000001", "00000002", "0000000f", "00000001", "00000001", "00000015", "00000001", "00000001", "0000001c", "00000001", "00000001", "0000002a", "00000001", "00000001", "00000031", "00000001", "00000001", "0000003e", "00000001", "00000001", "00000044", "00000001", "00000001", "0000004a", "00000001", "00000001", "00000051", "00000001", "00000001", "33333333", "00000014", "00000001", "00000007", "00000014", "00000002", "00000005", "00000020", "00000001", "00000007", "00000020", "00000001", "00000006", "00000031", "00000002", "00000001", "00000039", "00000002", "00000000", "00000014", "00000001", "00000007", "00000014", "00000002", "00000005", "00000020", "00000001", "00000007", "00000020", "00000001", "00000006", "00000031", "00000002", "00000001", "00000039", "00000002", "00000000", "44444444", "55555555"] } }
%include "breakpoints.inc"
; A loop over pages, which elsewhere runs without a look at its page.
  ARM 0, DATA + 0x400, ACCESS4
  FROM
  mov ebp, 3
.pages:
  mov esi, DATA - 0x1000
  mov ecx, 0x800
.words:
  add ebx, [esi]
  add esi, 4
  dec ecx
  jnz .words
  dec ebp
  jnz .pages
  TOLOG 0x11111111
; Bytes: two of them are watched. Reads of them are not.
  ARM 0, DATA + 0x80a, WRITE2
  FROM
  mov edi, DATA + 0x7f0
  mov ecx, 0x40
.bytes:
  mov bl, [edi]
  mov [edi], cl
  inc edi
  dec ecx
  jnz .bytes
  TOLOG 0x22222222
; Across the end of a page, read, changed, locked; 16 bytes; 10 bytes.
  ARM 0, DATA + 0x1001, ACCESS1
  mov eax, cr4
  or eax, 0x200
  mov cr4, eax
  fninit
  fldz
  FROM
  mov ecx, 2
.wide:
  mov eax, [DATA + 0xffc]                       ; not hit
  mov eax, [DATA + 0xffe]
  inc dword [DATA + 0xfff]
  lock inc dword [DATA + 0x1000]
  lock inc dword [DATA + 0x1004]                ; not hit
  movups xmm0, [DATA + 0xff8]
  movups [DATA + 0xff2], xmm0
  movups [DATA + 0xff1], xmm0                   ; not hit
  fld tword [DATA + 0xff8]
  fstp tword [DATA + 0xff8]
  xchg ebx, [DATA + 0x1000]
  cmpxchg8b [DATA + 0xffc]
  dec ecx
  jnz .wide
  TOLOG 0x33333333
; String instructions: behind the iteration, with the registers as they are then.
  ARM 0, DATA + 0x20, WRITE2
  ARM 1, DATA + 0x2028, ACCESS1
  FROM
  mov edx, 2
.strings:
  mov esi, DATA + 0x2000
  mov edi, DATA
  mov ecx, 16
  rep movsd
  mov edi, DATA + 0x18
  mov ecx, 16
  rep stosb
  mov esi, DATA + 0x2020
  mov edi, DATA + 0x2030
  mov ecx, 4
  repe cmpsd
  mov edi, DATA + 0x2028
  scasb
  dec edx
  jnz .strings
  TOLOG 0x44444444
  DISARM
  TOLOG 0x55555555
  DONE
EPILOGUE
