// What is a short way from one call of the host to the next, and what may be any time.
import { describe, expect, it } from 'vitest';
import { decode, LONGEST } from '../../../src/decode/decoder.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { GuestPath, isShortWay } from '../../../src/machine/board/guest-path.ts';

const AT = 0x1000;
const MODE = Mode.CODE32 | Mode.FLAT;
const isMmio = (linear: number) => linear >>> 12 === 0xfee00;
const bytesOf = (hex: string) => Uint8Array.from(hex.replaceAll(/\s/g, '').match(/../g)!, (byte) => Number.parseInt(byte, 16));

/** The way from the start of `code` to offset `to`; behind the code there is nothing. */
function isShort(code: string, to: number): boolean {
  const bytes = bytesOf(code);
  const read = (eip: number) =>
    eip < AT || eip >= AT + bytes.length ? undefined : decode(bytes.subarray(eip - AT, eip - AT + LONGEST), eip, MODE);
  return isShortWay(AT, AT + to, read, isMmio);
}

describe('short is', () => {
  it.each([
    // out 42h, al; rdtsc
    ['the next instruction', 'e642 0f31', 2],
    // poll: in al, 61h; test al, 20h; jz poll; rdtsc
    ['a poll', 'e461 a820 74fa 0f31', 0],
    ['what follows a poll', 'e461 a820 74fa 0f31', 6],
    // in eax, dx; cmp eax, ebx; jae +5; or eax, 1000000h; cmp eax, ecx; rdtsc
    ['both ways of a condition', 'ed 39d8 7305 0d00000001 39c8 0f31', 12],
    // in al, dx; call +3; rdtsc; nop; f: xor eax, eax; ret
    ['a call and back', 'ec e803000000 0f31 90 31c0 c3', 6],
    // in al, dx; call thunk; rdtsc; nop; thunk: mov ebx, [esp]; ret
    ['a call that asks where it is', 'ec e803000000 0f31 90 8b1c24 c3', 6],
    // in al, dx; call +0; pop ebx; rdtsc
    ['a call of what follows it', 'ec e800000000 5b 0f31', 7],
    // in al, dx; mov eax, [0fee00390h]: from there who knows where
    ['a register of a device, told by its address', 'ec a19003e0fe ffe0', 1],
    // in al, 61h; test al, 20h; jz poll; mov eax, [0fee00390h]; jmp eax
    ['a poll before such a register', 'e461 a820 74fa a19003e0fe ffe0', 0],
    // in al, dx; jz +2; rdtsc; rdtsc
    ['a way where another call of the host does not come before', 'ec 7402 0f31 0f31', 5],
  ])('%s', (_name, code, to) => {
    expect(isShort(code, to)).toBe(true);
  });
});

describe('short is not', () => {
  it.each([
    // in al, dx; l: dec ecx; jnz l; rdtsc
    ['a loop', 'ec 49 75fd 0f31', 4],
    // in al, dx; l: loop l; rdtsc
    ['LOOP', 'ec e2fe 0f31', 3],
    // in al, dx; call f; rdtsc; f: l: dec ecx; jnz l; ret
    ['a loop in a function', 'ec e802000000 0f31 49 75fd c3', 6],
    // in al, dx; rep movsb; rdtsc
    ['a repeated instruction', 'ec f3a4 0f31', 3],
    ['HLT', 'ec f4 0f31', 2],
    ['from HLT on', 'f4 0f31', 1],
    ['an interrupt', 'ec cd80 0f31', 3],
    // in al, dx; jmp eax; rdtsc
    ['an indirect jump', 'ec ffe0 0f31', 3],
    // in al, dx; ret; rdtsc
    ['a return to who knows whom', 'ec c3 0f31', 2],
    // in al, dx; ud2; rdtsc
    ['what cannot be executed', 'ec ffff 0f31', 3],
    // l: mov eax, [ebx]; jmp l: memory, most times
    ['a loop over memory that may be a device once', '8b03 ebfc', 4],
    // in al, dx; mov eax, [ebx]; jmp eax: the second reads memory as well
    ['what leads elsewhere beside it', 'ec 7402 ffe0 0f31', 5],
    ['more than a few instructions', `ec ${'90'.repeat(100)} 0f31`, 101],
    ['code that is not there', 'ec', 5],
  ])('%s', (_name, code, to) => {
    expect(isShort(code, to)).toBe(false);
  });
});

describe('a path', () => {
  const POLL = bytesOf('e461 a820 74fa 0f31 90 49 75fd 0f31');
  function path() {
    const words = Int32Array.of(AT, MODE, 0, 0);
    const made = new GuestPath({
      words,
      at: { eip: 0, mode: 1, interrupts: 2, faults: 3 },
      instruction: (eip, mode) => (eip - AT < POLL.length ? decode(POLL.subarray(eip - AT), eip, mode) : undefined),
      isMmio,
    });
    return { words, path: made };
  }

  it('is short from call to call, and in a call', () => {
    const { words, path: p } = path();
    expect(p.isShort(), 'it has not started').toBe(false);
    p.starts();
    expect(p.isShort(), 'the clock is read twice in one call').toBe(true);
    for (let n = 0; n < 10; n++) p.passes();
    expect(p.isShort()).toBe(true);
    words[0] = AT + 6;
    expect(p.isShort(), 'nobody called').toBe(false);
    p.passes();
    expect(p.isShort()).toBe(true);
    p.starts();
    words[0] = AT + 12;
    p.passes();
    expect(p.isShort(), 'by way of a loop').toBe(false);
  });

  it('is not short with an interrupt, another mode, or very many calls', () => {
    const { words, path: p } = path();
    p.starts();
    words[2]!++;
    p.passes();
    expect(p.isShort()).toBe(false);
    p.starts();
    words[1] = Mode.CODE32;
    p.passes();
    words[1] = MODE;
    expect(p.isShort(), 'in between').toBe(false);
    p.starts();
    words[3]!++;
    expect(p.isShort()).toBe(false);
    p.starts();
    for (let n = 0; n < 1000; n++) p.passes();
    expect(p.isShort()).toBe(false);
  });

  it('looks at code anew where it is told to', () => {
    const { path: p } = path();
    p.starts();
    p.passes();
    expect(p.isShort()).toBe(true);
    const [was] = POLL;
    POLL[0] = 0xf4;
    p.starts();
    p.passes();
    expect(p.isShort(), 'remembered').toBe(true);
    p.starts(true);
    p.passes();
    expect(p.isShort()).toBe(false);
    POLL[0] = was!;
  });
});
