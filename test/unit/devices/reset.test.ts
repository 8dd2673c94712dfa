// Resets, A20, the empty keyboard controller, and the debug ports.
import { expect, it } from 'vitest';
import { bench } from './harness.ts';

it('resets in three ways', () => {
  const b = bench();
  b.out(0xcf9, 2);
  expect(b.ends.length).toBe(0);
  b.out(0xcf9, 6);
  b.out(0x64, 0xfe);
  b.out(0x92, 1);
  expect(b.ends).toEqual([{ kind: 'reset' }, { kind: 'reset' }, { kind: 'reset' }]);
});

it('switches A20 at port 0x92 and at the keyboard controller', () => {
  const b = bench();
  expect(b.pc.parts.a20.enabled).toBe(true);
  b.out(0x92, 0);
  expect(b.pc.parts.a20.enabled).toBe(false);
  b.out(0x64, 0xd1);
  expect(b.in(0x64)).toBe(0x1c);
  b.out(0x60, 0xdf);
  expect(b.pc.parts.a20.enabled).toBe(true);
  b.out(0x64, 0xd0);
  expect(b.in(0x60) & 2).toBe(2);
});

it('passes the controller self-test and has nothing plugged in', () => {
  const b = bench();
  expect(b.in(0x64)).toBe(0x14);
  b.out(0x64, 0xaa);
  expect(b.in(0x64) & 1).toBe(1);
  expect(b.in(0x60)).toBe(0x55);
  b.out(0x64, 0x60);
  b.out(0x60, 0x65);
  b.out(0x64, 0x20);
  expect(b.in(0x60)).toBe(0x65);
  b.out(0x64, 0xa9);
  expect(b.in(0x60)).toBe(1);
  b.out(0x60, 0xff);
  expect(b.in(0x64) & 1).toBe(0);
});

it('carries debug output and ends the run', () => {
  const text: number[] = [];
  const post: number[] = [];
  const b = bench(1, {
    debug: {
      exitPort: 0xf4,
      console: true,
      onConsole: (bytes) => text.push(...bytes),
      onPost: (codes) => post.push(...codes),
      logPost: true,
    },
  });
  expect(b.in(0xe9)).toBe(0xe9);
  for (const letter of 'hello') b.out(0xe9, letter.charCodeAt(0));
  b.out(0x80, 0x55);
  b.pc.hub.runHostSignals();
  expect(String.fromCharCode(...text)).toBe('hello');
  expect(post).toEqual([0x55]);
  expect(b.in(0x80)).toBe(0x55);
  b.out(0xf4, 0x31, 4);
  expect(b.ends).toEqual([{ kind: 'debug-exit', value: 0x31 }]);
});

it('has debug ports only where they are asked for', () => {
  const plain = bench();
  expect(plain.in(0xe9)).toBe(0xff);
  plain.out(0xe9, 0x41);
  plain.out(0xf4, 1, 4);
  expect(plain.ends).toEqual([]);
  const other = bench(1, { debug: { exitPort: 0xffff } });
  other.out(0xf4, 1);
  other.out(0xffff, 2);
  expect(other.ends).toEqual([{ kind: 'debug-exit', value: 2 }]);
});
