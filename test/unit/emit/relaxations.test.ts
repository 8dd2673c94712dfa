// What regions are made of with and without the relaxations `returns` and `frames`.
import { expect, it } from 'vitest';
import { Emitter } from '../../../src/emit/module.ts';
import { emitRegion, type RegionDemands, waitsForCalls } from '../../../src/emit/region/region.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { growRegion } from '../../../src/translate/grow.ts';
import { printFunction } from '../../ledger/wat.ts';

const KERNEL = Mode.CODE32 | Mode.FLAT;
const USER = KERNEL | Mode.USER;
const EIP = 0x1100;
const POINTS_AT = 0x123400;
/** A loop around a call of what is on another page, INC EAX, RET. */
const CALL = 'e8fb2e0000 75f9 40 c3';
const RETURN = '40 c3';

function emitted(code: string, mode: number, demands: RegionDemands) {
  const page = new Uint8Array(0x1000);
  page.set(Buffer.from(code.replaceAll(' ', ''), 'hex'), EIP & 0xfff);
  const e = new Emitter({ texts: true });
  const region = growRegion(page, EIP, EIP, mode, undefined, waitsForCalls(mode, demands))!;
  const points = emitRegion(e, 'code', region, (_phys, eip) => eip, demands);
  return { points, text: printFunction(e.text('code')).join('\n') };
}
it.each([
  [KERNEL, true, true],
  [KERNEL, false, false],
  [USER, true, true],
  [USER, false, true],
])('in mode %i with returns: %s calls and RET ask who waits: %s', (mode, returns, waits) => {
  for (const code of [CALL, RETURN]) {
    const { text } = emitted(code, mode, { returns });
    expect(text.includes('callReturn')).toBe(waits);
    // The jump cache is asked in any case.
    expect(text).toContain(mode === USER ? 'jumpUserGen' : 'jumpKernelGen');
  }
});

it('says by its points where it is, the entry first', () => {
  // DEC EAX, JNZ back to it, behind a NOP.
  const loop = (mode: number, pointsAt?: number) => {
    const page = new Uint8Array(0x1000);
    page.set([0x90, 0x48, 0x75, 0xfd, 0xc3], EIP & 0xfff);
    const e = new Emitter({ texts: true });
    const points = emitRegion(e, 'code', growRegion(page, EIP, EIP, mode)!, (_phys, eip) => eip, { pointsAt });
    return { points, text: e.text('code') };
  };
  const { points, text } = loop(KERNEL, POINTS_AT);
  expect(points).toEqual([EIP, EIP + 1]);
  for (const at of [POINTS_AT, POINTS_AT + 4]) expect(text).toContain(`${at}`);
  expect([text.includes('pollPoint'), text.includes('pollRegion')]).toEqual([true, false]);
  for (const other of [loop(KERNEL), loop(USER, POINTS_AT), loop(Mode.CODE32, POINTS_AT)]) {
    expect(other.points).toEqual([]);
    expect([other.text.includes('pollPoint'), other.text.includes('pollRegion')]).toEqual([false, true]);
  }
});
