// Packets of the remote serial protocol: whole, in pieces, damaged, and among junk.
import { expect, it } from 'vitest';
import { Decoder, escaped, type Incoming, PACKET_SIZE, packet } from '../../../src/gdb/framing.ts';
import { fromBytes, fromHex, fromHexNumber, textToHex, toBytes, toHex } from '../../../src/gdb/hex.ts';
import { framed } from './client.ts';

const decode = (text: string, decoder = new Decoder()): Incoming[] => [...decoder.push(toBytes(text))];
const packetOf = (data: string): Incoming => ({ kind: 'packet', data });

it('packets have a checksum of two digits', () => {
  expect(fromBytes(packet('OK'))).toBe('$OK#9a');
  expect(fromBytes(packet(''))).toBe('$#00');
  expect(fromBytes(packet('\x10'))).toBe('$\x10#10');
  expect(fromBytes(packet('l<a>$#}*</a>'))).toBe(framed('l<a>$#}*</a>'));
});

it('are taken whole and byte by byte, with what is between them', () => {
  const text = `+${framed('?')}junk-${framed('m0,4')}\x03${framed('')}`;
  const all: Incoming[] = [{ kind: 'ack' }, packetOf('?'), { kind: 'nack' }, packetOf('m0,4'), { kind: 'interrupt' }, packetOf('')];
  expect(decode(text)).toEqual(all);
  const decoder = new Decoder();
  expect([...text].flatMap((char) => decode(char, decoder))).toEqual(all);
});

it('escapes are undone, and are part of the checksum', () => {
  const data = `X0,6:${escaped('$#}*')}\x03+`;
  expect(data).toBe('X0,6:}\x04}\x03}]}\x0a\x03+');
  expect(decode(framed(data))).toEqual([packetOf('X0,6:$#}*\x03+')]);
});

it.each([
  ['a wrong checksum', '$OK#9b'],
  ['no checksum', '$OK#zz'],
  ['half of one', '$OK#9z'],
])('%s is damage, and what follows is taken', (_, text) => {
  expect(decode(`${text}${framed('g')}`)).toEqual([{ kind: 'damaged' }, packetOf('g')]);
  const decoder = new Decoder();
  decoder.checks = false;
  expect(decode(text, decoder)).toEqual([packetOf('OK')]);
});

it('a packet that is not ended is forgotten when another begins', () => {
  expect(decode(`$half${framed('g')}`)).toEqual([packetOf('g')]);
  expect(decode(`$half#${framed('g')}`)).toEqual([packetOf('g')]);
});

it('the longest packet is taken, a longer one is not, and not kept', () => {
  const longest = 'x'.repeat(PACKET_SIZE);
  expect(decode(framed(longest))).toEqual([packetOf(longest)]);
  const decoder = new Decoder();
  decode('$', decoder);
  for (let n = 0; n < 50; n++) expect(decode(longest, decoder)).toEqual([]);
  expect(decode(`#00${framed('g')}`, decoder)).toEqual([{ kind: 'damaged' }, packetOf('g')]);
});

it('any bytes are taken without an error, and a packet behind them is found', () => {
  let seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 16;
  const decoder = new Decoder();
  for (let round = 0; round < 300; round++) {
    const junk = Uint8Array.from({ length: random() % 200 }, () =>
      random() % 3 === 0 ? '$#}+-\x03'.charCodeAt(random() % 6) : random() & 0xff,
    );
    for (const { kind } of decoder.push(junk)) expect(['packet', 'damaged', 'ack', 'nack', 'interrupt']).toContain(kind);
    // The first of them may end what the junk began, or be the escaped byte of it.
    expect(decode(`##00${framed('g')}`, decoder).at(-1)).toEqual(packetOf('g'));
  }
});

it('hexadecimal', () => {
  expect(toHex(Uint8Array.of(0, 0xab, 0xff))).toBe('00abff');
  expect(fromHex('00aBff')).toEqual(Uint8Array.of(0, 0xab, 0xff));
  expect(textToHex('é')).toBe('c3a9');
  expect([fromHexNumber('0'), fromHexNumber('00000000c0100000'), fromHexNumber('FFFFFFFF')]).toEqual([0, 0xc0100000, 0xffffffff]);
  for (const wrong of ['', '1ffffffff', '-1', 'x', '1 ']) expect(() => fromHexNumber(wrong)).toThrow('no hexadecimal number');
  for (const wrong of ['a', 'zz', '0 ']) expect(() => fromHex(wrong)).toThrow('no pairs');
});
