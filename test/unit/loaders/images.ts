// Small well-formed kernels and archives for the loaders' tests, and the damages done to them.
import { expect } from 'vitest';
import { type CpioEntry, cpio } from '../../../guests/cpio.ts';
import { DragomanError, type ErrorCode } from '../../../src/api/errors.ts';

export const MiB = 1024 * 1024;

/** A bzImage by protocol 2.15 whose payload is the bytes 1, 2, 3 ... */
export function bzImage(payloadBytes = 4096): Uint8Array {
  const setup = 5 * 512;
  const file = new Uint8Array(setup + payloadBytes);
  const view = new DataView(file.buffer);
  file[0x1f1] = 4;
  view.setUint32(0x1f4, payloadBytes / 16, true);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint16(0x200, 0x6aeb, true);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, 0x20f, true);
  file[0x211] = 1;
  view.setUint32(0x214, 0x100000, true);
  view.setUint32(0x22c, 0x7fffffff, true);
  view.setUint32(0x238, 2047, true);
  view.setBigUint64(0x258, 0x1000000n, true);
  view.setUint32(0x260, 0x400000, true);
  for (let k = 0; k < payloadBytes; k++) file[setup + k] = k + 1;
  return file;
}

export interface ElfSegment {
  readonly physical: number;
  readonly virtual?: number;
  readonly data: Uint8Array;
  readonly memoryBytes?: number;
}

/** An ELF32 executable; the first segment's data follows the headers at 0x100. */
export function elf(segments: readonly ElfSegment[], entry: number): Uint8Array {
  const start = 0x100;
  const file = new Uint8Array(start + segments.reduce((sum, s) => sum + s.data.length, 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(24, entry, true);
  view.setUint32(28, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, segments.length, true);
  let offset = start;
  segments.forEach((s, k) => {
    const words = [1, offset, s.virtual ?? s.physical, s.physical, s.data.length, s.memoryBytes ?? s.data.length, 7, 4096];
    words.forEach((word, n) => void view.setUint32(52 + k * 32 + n * 4, word, true));
    file.set(s.data, offset);
    offset += s.data.length;
  });
  return file;
}

/** Code that starts with a multiboot header; `addresses` are the five address fields. */
export function multibootCode(bytes = 256, flags = 3, addresses: readonly number[] = []): Uint8Array {
  const code = new Uint8Array(bytes).fill(0x90);
  const view = new DataView(code.buffer);
  const all = addresses.length > 0 ? flags | 0x10000 : flags;
  [0x1badb002, all, -(0x1badb002 + all), ...addresses].forEach((word, k) => void view.setUint32(k * 4, word >>> 0, true));
  return code;
}

export const multibootElf = (entry = 0x100020): Uint8Array =>
  elf([{ physical: 0x100000, data: multibootCode(), memoryBytes: 0x1000 }], entry);

export const archive = (): Uint8Array =>
  new Uint8Array(
    cpio([
      { path: 'bin', directory: true },
      { path: 'init', data: Buffer.from('#!/bin/sh\n'.repeat(20)), mode: 0o755 },
    ] satisfies CpioEntry[]),
  );

/** A copy with some bytes changed. */
export function patched(file: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(bytes, at);
  return copy;
}

/** Bytes that look like noise, the same for every run. */
export function noise(length: number, seed: number): Uint8Array {
  let state = seed >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** The DragomanError that `work` throws; anything else that it throws, or nothing, fails the test. */
export function errorOf(work: () => unknown): DragomanError {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown, 'a DragomanError is thrown').toBeInstanceOf(DragomanError);
  return thrown as DragomanError;
}

export function expectError(work: () => unknown, code: ErrorCode, text: string | RegExp): void {
  const error = errorOf(work);
  expect(error.message).toMatch(text);
  expect(error.code).toBe(code);
}

const ZEROS = Buffer.alloc(32 * MiB);
/** Byte comparison that is fast for whole memories. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
export const untouched = (ram: Uint8Array): boolean => same(ram, ZEROS.subarray(0, ram.length));
