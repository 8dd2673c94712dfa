// The MMX, SSE, SSE2 and SSE3 instructions to record, as NASM text, by family.
import type { Form, Setup } from './forms-integer.ts';
import type { Lanes } from './values.ts';
import { integer } from './values.ts';

export interface SimdForm extends Form {
  /** What the lanes of XMM registers and of memory hold; 'int' where not given. */
  lanes?: Lanes;
}

const MMX_BINARY =
  'punpcklbw punpcklwd punpckldq packsswb pcmpgtb pcmpgtw pcmpgtd packuswb punpckhbw punpckhwd punpckhdq packssdw pcmpeqb pcmpeqw pcmpeqd psrlw psrld psrlq paddq pmullw psubusb psubusw pminub pand paddusb paddusw pmaxub pandn pavgb psraw psrad pavgw pmulhuw pmulhw psubsb psubsw pminsw por paddsb paddsw pmaxsw pxor psllw pslld psllq pmuludq pmaddwd psadbw psubb psubw psubd psubq paddb paddw paddd'.split(
    ' ',
  );
const isShift = (op: string) => /^ps(rl|ra|ll)/.test(op);

/** Shift counts: small ones, the widths, and far too large ones, in the low quadword of the second operand. */
const shiftCount =
  (offset: number, where: 'mm' | 'xmm' | 'memory'): Setup =>
  (s, r, i) => {
    const view = new DataView(s[where].buffer);
    const count = [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 0x7fffffff][i % 14];
    view.setBigUint64(offset, i < 14 ? BigInt(count) : BigInt(count) | (BigInt(r.u32()) << 32n), true);
  };

function* mmx(): Generator<SimdForm> {
  const group = 'mmx';
  for (const op of MMX_BINARY) {
    const shift = isShift(op);
    yield { group, asm: `${op} mm1,mm3`, count: shift ? 16 : 10, ...(shift ? { setup: shiftCount(24, 'mm') } : {}) };
    yield { group, asm: `${op} mm6,[ebx]`, count: shift ? 8 : 5, ...(shift ? { setup: shiftCount(0x100, 'memory') } : {}) };
    yield { group, asm: `${op} mm2,mm2`, count: 2 };
  }
  for (const op of ['psrlw', 'psrld', 'psrlq', 'psraw', 'psrad', 'psllw', 'pslld', 'psllq'])
    for (const n of [0, 1, 7, 15, 16, 31, 32, 63, 64, 255]) yield { group, asm: `${op} mm5,${n}`, count: 2 };
  for (const o of [
    'movd mm1,eax',
    'movd mm7,[ebx]',
    'movd ecx,mm2',
    'movd [ebx],mm3',
    'movq mm1,mm4',
    'movq mm1,[ebx]',
    'movq [ebx],mm5',
    'movntq [ebx],mm2',
    'pmovmskb eax,mm3',
    'pextrw edx,mm1,0',
    'pextrw esi,mm1,3',
    'pextrw esi,mm1,6',
    'pinsrw mm2,eax,1',
    'pinsrw mm2,ecx,7',
    'pinsrw mm2,[ebx],2',
    'pshufw mm1,mm2,0x1b',
    'pshufw mm1,mm1,0x93',
    'pshufw mm1,[ebx],0xe4',
    'pshufw mm4,mm3,0x05',
    'db 0x0f,0x7f,0xd1',
  ])
    yield { group, asm: o, count: 6 };
  yield { group, asm: 'emms', count: 2, setup: (s, _r, i) => void (s.ftw = i ? 0xff : 0x21) };
  yield { group, asm: 'maskmovq mm1,mm2', count: 6 };
  // The x87 state before: MMX instructions set TOP to 0 and all tags to valid (SDM vol. 1, 9.5.1).
  for (const o of ['paddb mm1,mm2', 'movd mm0,eax', 'movd eax,mm0', 'emms', 'movq [ebx],mm0'])
    yield { group, asm: o, count: 3, setup: (s, r) => void ([s.fsw, s.ftw] = [0x4100, r.below(256)]) };
  // MMX <-> SSE.
  for (const o of ['movq2dq xmm1,mm2', 'movdq2q mm1,xmm2']) yield { group: 'mmx', asm: o, count: 4 };
}

function* sseInteger(): Generator<SimdForm> {
  const group = 'sse-int';
  for (const op of [...MMX_BINARY, 'punpcklqdq', 'punpckhqdq']) {
    const shift = isShift(op);
    yield { group, asm: `${op} xmm1,xmm3`, count: shift ? 16 : 9, ...(shift ? { setup: shiftCount(48, 'xmm') } : {}) };
    yield { group, asm: `${op} xmm6,[ebx]`, count: shift ? 6 : 4, ...(shift ? { setup: shiftCount(0x100, 'memory') } : {}) };
    yield { group, asm: `${op} xmm2,xmm2`, count: 1 };
  }
  yield { group, asm: 'paddd xmm1,[ebx+4]', count: 1 }; // misaligned: #GP
  for (const op of ['psrlw', 'psrld', 'psrlq', 'psraw', 'psrad', 'psllw', 'pslld', 'psllq', 'pslldq', 'psrldq'])
    for (const n of [0, 1, 7, 15, 16, 31, 32, 63, 64, 255]) yield { group, asm: `${op} xmm5,${n}`, count: 2 };
  for (const o of [
    'movd xmm1,eax',
    'movd xmm7,[ebx]',
    'movd ecx,xmm2',
    'movd [ebx],xmm3',
    'movq xmm1,xmm4',
    'movq xmm1,[ebx]',
    'movq [ebx],xmm5',
    'db 0x66,0x0f,0xd6,0xd1',
    'movdqa xmm1,xmm2',
    'movdqa xmm1,[ebx]',
    'movdqa [ebx],xmm1',
    'movdqa xmm1,[ebx+1]',
    'movdqa [ebx+8],xmm1',
    'movdqu xmm1,xmm2',
    'movdqu xmm1,[ebx+3]',
    'movdqu [ebx+5],xmm1',
    'movdqu xmm1,[ebx+0xf8]',
    'movdqu [ebx+0xf9],xmm2',
    'lddqu xmm3,[ebx+7]',
    'movntdq [ebx],xmm2',
    'movntdq [ebx+4],xmm2',
    'movnti [ebx],ecx',
    'pmovmskb eax,xmm3',
    'pextrw edx,xmm1,0',
    'pextrw esi,xmm1,7',
    'pextrw esi,xmm1,12',
    'pinsrw xmm2,eax,1',
    'pinsrw xmm2,ecx,15',
    'pinsrw xmm2,[ebx],6',
    'pshufd xmm1,xmm2,0x1b',
    'pshufd xmm1,xmm1,0x93',
    'pshufd xmm1,[ebx],0x4e',
    'pshufd xmm3,xmm4,0',
    'pshuflw xmm1,xmm2,0x1b',
    'pshuflw xmm1,[ebx],0xb1',
    'pshuflw xmm1,xmm1,0xff',
    'pshufhw xmm1,xmm2,0x1b',
    'pshufhw xmm1,[ebx],0xb1',
    'pshufhw xmm1,xmm1,0',
    'maskmovdqu xmm1,xmm2',
    'db 0x66,0x0f,0x7f,0xd1',
    'db 0xf3,0x0f,0x7f,0xd1',
  ])
    yield { group, asm: o, count: 4 };
  for (const o of ['sfence', 'lfence', 'mfence', 'clflush [ebx]', 'prefetcht0 [ebx]', 'prefetchnta [ebx]', 'stmxcsr [ebx]'])
    yield { group, asm: o, count: 1 };
  yield { group, asm: 'stmxcsr [ebx]', count: 3, setup: (s, r) => void (s.mxcsr = 0x1f80 | (r.below(4) << 13) | r.below(64)) };
  yield { group, asm: 'ldmxcsr [ebx]', count: 6, setup: (s, r) => new DataView(s.memory.buffer).setUint32(0x100, r.u32() & 0xffbf, true) };
  yield { group, asm: 'ldmxcsr [ebx]', count: 2, setup: (s) => new DataView(s.memory.buffer).setUint32(0x100, 0x00101f80, true) };
}

const COMPARES = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'];

function* sseFloat(): Generator<SimdForm> {
  for (const [suffixes, lanes] of [
    [['ps', 'ss'], 'f32'],
    [['pd', 'sd'], 'f64'],
  ] as const) {
    const wide = lanes === 'f64';
    for (const suffix of suffixes) {
      const scalar = suffix[0] === 's';
      const group = 'sse-fp';
      for (const op of ['add', 'sub', 'mul', 'div', 'min', 'max']) {
        yield { group, lanes, asm: `${op}${suffix} xmm1,xmm2`, count: scalar ? 36 : 26 };
        yield { group, lanes, asm: `${op}${suffix} xmm3,[ebx]`, count: 6 };
        yield { group, lanes, asm: `${op}${suffix} xmm5,xmm5`, count: 3 };
      }
      yield { group, lanes, asm: `sqrt${suffix} xmm1,xmm2`, count: 26 };
      yield { group, lanes, asm: `sqrt${suffix} xmm1,[ebx]`, count: 4 };
      for (const c of COMPARES) {
        yield { group, lanes, asm: `cmp${c}${suffix} xmm1,xmm2`, count: 12, setup: sometimesEqual };
        yield { group, lanes, asm: `cmp${c}${suffix} xmm1,[ebx]`, count: 3 };
      }
      if (scalar)
        for (const op of ['ucomi', 'comi']) {
          yield { group, lanes, asm: `${op}${suffix} xmm1,xmm2`, count: 24, setup: sometimesEqual };
          yield { group, lanes, asm: `${op}${suffix} xmm1,[ebx]`, count: 4 };
        }
      if (!scalar) {
        for (const op of ['and', 'andn', 'or', 'xor', 'unpckl', 'unpckh']) {
          yield { group: 'sse-move', lanes, asm: `${op}${suffix} xmm1,xmm2`, count: 4 };
          yield { group: 'sse-move', lanes, asm: `${op}${suffix} xmm1,[ebx]`, count: 2 };
        }
        for (const n of [0, 0x1b, 0xe4, 0x4e, 0xff, 1, 2])
          for (const o of ['xmm1,xmm2', 'xmm3,xmm3', 'xmm4,[ebx]'])
            yield { group: 'sse-move', lanes, asm: `shuf${suffix} ${o},${n}`, count: 2 };
        for (const o of [
          `mova${suffix} xmm1,xmm2`,
          `mova${suffix} xmm1,[ebx]`,
          `mova${suffix} [ebx],xmm1`,
          `mova${suffix} xmm1,[ebx+4]`,
          `mova${suffix} [ebx+8],xmm1`,
          `movu${suffix} xmm1,xmm2`,
          `movu${suffix} xmm1,[ebx+3]`,
          `movu${suffix} [ebx+0xf7],xmm2`,
          `movnt${suffix} [ebx],xmm3`,
          `movl${suffix} xmm1,[ebx]`,
          `movl${suffix} [ebx+1],xmm1`,
          `movh${suffix} xmm1,[ebx]`,
          `movh${suffix} [ebx+1],xmm1`,
          `movmsk${suffix} eax,xmm4`,
        ])
          yield { group: 'sse-move', lanes, asm: o, count: 3 };
        for (const op of ['hadd', 'hsub', 'addsub']) {
          yield { group: 'sse-fp', lanes, asm: `${op}${suffix} xmm1,xmm2`, count: 16 };
          yield { group: 'sse-fp', lanes, asm: `${op}${suffix} xmm1,[ebx]`, count: 4 };
          yield { group: 'sse-fp', lanes, asm: `${op}${suffix} xmm1,xmm1`, count: 2 };
        }
      } else
        for (const o of [`mov${suffix} xmm1,xmm2`, `mov${suffix} xmm1,[ebx]`, `mov${suffix} [ebx+1],xmm1`])
          yield { group: 'sse-move', lanes, asm: o, count: 3 };
      // Rounding modes, flush to zero, denormals are zeros.
      for (const op of ['add', 'sub', 'mul', 'div'])
        yield { group: 'mxcsr', lanes, asm: `${op}${suffix} xmm1,xmm2`, count: 16, setup: control };
      yield { group: 'mxcsr', lanes, asm: `sqrt${suffix} xmm1,xmm2`, count: 12, setup: control };
      if (scalar) yield { group: 'mxcsr', lanes, asm: `min${suffix} xmm1,xmm2`, count: 8, setup: control };
      // Unmasked exceptions: #XM, with the operands as they were.
      for (const op of ['add', 'div', 'sqrt', 'cmplt'])
        yield {
          group: 'sse-unmasked',
          lanes,
          asm: `${op}${suffix} xmm1,xmm2`,
          count: 5,
          setup: (s, r) => void (s.mxcsr = 0x1f80 & ~(r.below(64) << 7)),
        };
    }
    if (!wide) {
      for (const op of ['rcpps', 'rcpss', 'rsqrtps', 'rsqrtss']) {
        yield { group: 'sse-approximate', lanes, asm: `${op} xmm1,xmm2`, count: 16 };
        yield { group: 'sse-approximate', lanes, asm: `${op} xmm1,[ebx]`, count: 3 };
      }
      for (const o of [
        'movhlps xmm1,xmm2',
        'movlhps xmm1,xmm2',
        'movshdup xmm1,xmm2',
        'movsldup xmm1,xmm2',
        'movshdup xmm1,[ebx]',
        'movsldup xmm1,[ebx]',
      ])
        yield { group: 'sse-move', lanes, asm: o, count: 3 };
    } else for (const o of ['movddup xmm1,xmm2', 'movddup xmm1,[ebx+1]']) yield { group: 'sse-move', lanes, asm: o, count: 3 };
  }
  const conversions: [string, Lanes, string, string][] = [
    ['cvtdq2ps', 'int', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtps2dq', 'f32', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvttps2dq', 'f32', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtdq2pd', 'int', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtpd2dq', 'f64', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvttpd2dq', 'f64', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtps2pd', 'f32', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtpd2ps', 'f64', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtss2sd', 'f32', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtsd2ss', 'f64', 'xmm1,xmm2', 'xmm1,[ebx]'],
    ['cvtsi2ss', 'f32', 'xmm1,ecx', 'xmm1,dword [ebx]'],
    ['cvtsi2sd', 'f64', 'xmm1,ecx', 'xmm1,dword [ebx]'],
    ['cvtss2si', 'f32', 'eax,xmm2', 'eax,[ebx]'],
    ['cvttss2si', 'f32', 'eax,xmm2', 'eax,[ebx]'],
    ['cvtsd2si', 'f64', 'eax,xmm2', 'eax,[ebx]'],
    ['cvttsd2si', 'f64', 'eax,xmm2', 'eax,[ebx]'],
    ['cvtpi2ps', 'f32', 'xmm1,mm2', 'xmm1,[ebx]'],
    ['cvtpi2pd', 'f64', 'xmm1,mm2', 'xmm1,[ebx]'],
    ['cvtps2pi', 'f32', 'mm1,xmm2', 'mm1,[ebx]'],
    ['cvttps2pi', 'f32', 'mm1,xmm2', 'mm1,[ebx]'],
    ['cvtpd2pi', 'f64', 'mm1,xmm2', 'mm1,[ebx]'],
    ['cvttpd2pi', 'f64', 'mm1,xmm2', 'mm1,[ebx]'],
  ];
  for (const [op, lanes, reg, mem] of conversions) {
    const fromInt = /^cvt(dq|si|pi)2/.test(op);
    const ints: Setup = (s, r) => {
      const view = new DataView(s.memory.buffer);
      for (let i = 0; i < 4; i++) view.setUint32(0x100 + 4 * i, r.below(2) ? integer(r, 32) : 0x1000001 + r.below(0x1000), true);
    };
    yield { group: 'sse-convert', lanes, asm: `${op} ${reg}`, count: 32 };
    yield { group: 'sse-convert', lanes, asm: `${op} ${mem}`, count: 8, ...(fromInt ? { setup: ints } : {}) };
    yield { group: 'mxcsr', lanes, asm: `${op} ${reg}`, count: 16, setup: control };
  }
}

const sometimesEqual: Setup = (s, r) => {
  if (r.below(3) === 0) s.xmm.copyWithin(16, 32, 32 + r.pick([4, 8, 16]));
};

const control: Setup = (s, _r, i) =>
  void (s.mxcsr = 0x1f80 | ((i % 4) << 13) | (i % 16 >= 12 ? 0x8000 : 0) | (i % 16 === 10 || i % 16 === 14 ? 0x40 : 0));

export const mmxForms = (): SimdForm[] => [...mmx()];
export const sseIntegerForms = (): SimdForm[] => [...sseInteger()];
export const sseFloatForms = (): SimdForm[] => [...sseFloat()];
