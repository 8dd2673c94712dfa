; { "about": "a fault in code of the kernel: its frame has the arithmetic flags, and what goes on finds them", "mode": "paged",
;   "expect": { "log": ["ee0e0000", "00064000", "00000055", "00064000", "00064000", "00010102", "00064000", "00064000", "00064000", "00020102", "00064000", "00000002", "00064000", "00064000", "00030102", "00064000", "00000001"] } }
%include "fault-flags.inc"
