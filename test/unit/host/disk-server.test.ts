// A file as a disk of another thread: what the file does not do as a whole is an error, never a part of an answer.
import { expect, it } from 'vitest';
import { answer, type SyncFile } from '../../../src/host/disk-server.ts';

/** A file in memory that does as much at once as `most` says, and throws from `room` on. */
function fake(bytes: Uint8Array, { most = Number.POSITIVE_INFINITY, room = bytes.length } = {}) {
  const calls: string[] = [];
  const file: SyncFile = {
    getSize: () => bytes.length,
    read(into, { at }) {
      const part = bytes.subarray(at, at + Math.min(most, into.length));
      into.set(part);
      return part.length;
    },
    write(from, { at }) {
      if (at + from.length > room) throw new DOMException('no room', 'QuotaExceededError');
      const part = from.subarray(0, most);
      bytes.set(part, at);
      return part.length;
    },
    flush: () => void calls.push('flush'),
    close: () => void calls.push('close'),
  };
  return { file, calls };
}
const numbers = (length: number) => Uint8Array.from({ length }, (_, n) => n);

it('reads and writes all of it, however little is done at once', () => {
  const bytes = numbers(100);
  const { file } = fake(bytes, { most: 7 });
  expect(answer(file, { kind: 'read', offset: 10, length: 50 })).toEqual({ bytes: numbers(100).subarray(10, 60) });
  expect(answer(file, { kind: 'write', offset: 20, bytes: new Uint8Array(30).fill(9) })).toEqual({ bytes: undefined });
  expect(bytes).toEqual(numbers(100).fill(9, 20, 50));
});

it('says what went wrong, and goes on', () => {
  const { file, calls } = fake(numbers(100), { room: 50 });
  expect(answer(file, { kind: 'write', offset: 40, bytes: new Uint8Array(20) })).toEqual({
    error: { name: 'QuotaExceededError', message: 'no room' },
  });
  expect(answer(file, { kind: 'read', offset: 90, length: 20 })).toEqual({ error: { name: 'Error', message: '10 of 20 bytes at 90' } });
  expect(answer(file, { kind: 'flush' })).toEqual({ bytes: undefined });
  expect(answer(file, { kind: 'close' })).toEqual({ bytes: undefined });
  expect(calls).toEqual(['flush', 'flush', 'close']);
});
