; { "about": "the same, relying on precision: dead flags in the frame are older ones, what goes on finds those that it reads", "mode": "paged", "engines": ["jit"], "relax": ["all", "-stack"], "qemu": { "skip": "flags that nobody reads are not made" },
;   "expect": { "log": ["ee0e0000", "00064000", "00000000", "00064000", "00064000", "00010102", "00064000", "00064000", "00064000", "00020102", "00064000", "00000002", "00064000", "00064000", "00030102", "00064000", "00000001"] } }
%include "fault-flags.inc"
