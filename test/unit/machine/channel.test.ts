// A console as programs hold it: waiting for text, streams, typing.
import { describe, expect, it } from 'vitest';
import { UNTIL_BUFFER } from '../../../src/api/channel.ts';
import { DragomanError } from '../../../src/api/errors.ts';
import { MachineChannel } from '../../../src/machine/channel.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
function console_(send: (typed: Uint8Array) => Promise<void> | undefined = () => undefined) {
  const channel = new MachineChannel(send);
  const receive = channel.receiver();
  return { channel, print: (text: string | Uint8Array) => receive(typeof text === 'string' ? bytes(text) : text) };
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => (error instanceof DragomanError ? { code: error.code, message: error.message } : { error }),
  );

describe('until', () => {
  it('finds a text however it comes in pieces, and goes on behind it', async () => {
    const { channel, print } = console_();
    const first = channel.until('login: ');
    for (const piece of ['boo', 't\nlo', 'gin:', ' ', 'login: ']) print(piece);
    expect(await first).toEqual({ before: 'boot\n', match: 'login: ', groups: [] });
    expect(await channel.until('login: ')).toEqual({ before: '', match: 'login: ', groups: [] });
    const third = channel.until('login: ');
    print('no login');
    print(': ');
    expect(await third).toMatchObject({ before: 'no ' });
  });

  it('takes CR LF as LF, wherever it is cut, and no other CR away', async () => {
    const { channel, print } = console_();
    for (const piece of ['a\r', '\nb\r', 'c\r\n', 'd\r\r\n']) print(piece);
    expect(await channel.until('d\r\n')).toMatchObject({ before: 'a\nb\rc\n' });
  });

  it('takes UTF-8, cut anywhere', async () => {
    const { channel, print } = console_();
    for (const byte of bytes('grüße, 世界')) print(Uint8Array.of(byte));
    expect(await channel.until('世界')).toMatchObject({ before: 'grüße, ' });
  });

  it('takes regular expressions, with groups, whatever they found before', async () => {
    const { channel, print } = console_();
    const pattern = /(\d+) primes up to (\d+)/g;
    pattern.lastIndex = 5;
    const found = channel.until(pattern);
    print('17984 primes ');
    print('up to 200000,');
    expect(await found).toEqual({ before: '', match: '17984 primes up to 200000', groups: ['17984', '200000'] });
    expect(pattern.lastIndex).toBe(5);
  });

  it('lets several wait for the same, and for what comes first', async () => {
    const { channel, print } = console_();
    const all = [channel.until('ok'), channel.until(/pa.ic/), channel.until('ok')];
    const first = Promise.race(all.slice(0, 2));
    print('it is ok');
    expect(await first).toMatchObject({ match: 'ok' });
    expect(await all[2]).toMatchObject({ before: 'it is ' });
    print(', no panic');
    expect(await all[1]).toMatchObject({ before: 'it is ok, no ' });
  });

  it('keeps the last of what came, and no more', async () => {
    const { channel, print } = console_();
    print('early ');
    for (let k = 0; k < 40; k++) print('x'.repeat(UNTIL_BUFFER / 10));
    print('late');
    const { before } = await channel.until('late');
    expect(before.length).toBeGreaterThan(UNTIL_BUFFER / 2);
    expect(before.length).toBeLessThan(2 * UNTIL_BUFFER);
    expect(await codeOf(channel.until('early', { timeoutMs: 0 }))).toMatchObject({ code: 'TIMEOUT' });
  });

  it('looks at each character a few times only, however much comes', async () => {
    const { channel, print } = console_();
    const found = channel.until(/ne(v)er/);
    const text = channel.until('nowhere');
    for (let k = 0; k < 2000; k++) print('some line of output, of which there are many\n'.repeat(20));
    print('never nowhere');
    expect((await found).groups).toEqual(['v']);
    expect((await text).match).toBe('nowhere');
  });

  it('says what did not come in time, and what came instead', async () => {
    const { channel, print } = console_();
    print('kernel panic\r\n');
    expect(await codeOf(channel.until('login', { timeoutMs: 5 }))).toEqual({
      code: 'TIMEOUT',
      message: "'login' has not come within 5 ms; the guest printed last:\nkernel panic",
    });
    const silent = console_().channel.until(/x/, { timeoutMs: 1 });
    expect(await codeOf(silent)).toMatchObject({ message: '/x/ has not come within 1 ms; the guest has printed nothing' });
  });

  it('ends with the run, behind what came last', async () => {
    const { channel, print } = console_();
    const [never, late] = [codeOf(channel.until('never')), channel.until('bye\r')];
    print('bye\r');
    channel.end('power-off');
    expect(await late).toMatchObject({ match: 'bye\r' });
    expect(await never).toEqual({
      code: 'ENDED',
      message: "'never' has not come before the run ended: power-off; the guest printed last:\nbye",
    });
    expect(await codeOf(channel.until('more'))).toMatchObject({ code: 'ENDED' });
  });

  it('ends with its signal, with the reason of that', async () => {
    const { channel, print } = console_();
    const controller = new AbortController();
    const wait = codeOf(channel.until('x', { signal: controller.signal }));
    controller.abort('enough');
    expect(await wait).toEqual({ error: 'enough' });
    print('x');
    expect(await codeOf(channel.until('x', { signal: controller.signal }))).toEqual({ error: 'enough' });
    expect(await channel.until('x', { signal: new AbortController().signal })).toMatchObject({ match: 'x' });
  });

  it.each([
    [['']],
    [[5]],
    [[null]],
    [['x', 5]],
    [['x', { timeout: 5 }]],
    [['x', { timeoutMs: '5' }]],
    [['x', { timeoutMs: -1 }]],
    [['x', { timeoutMs: Number.NaN }]],
    [['x', { signal: 5 }]],
  ])('refuses %j', async (given) => {
    const until = console_().channel.until as (...values: unknown[]) => Promise<unknown>;
    const { channel } = console_();
    expect(await codeOf(until.apply(channel, given))).toMatchObject({ code: 'BAD_OPTION' });
  });
});

describe('readable', () => {
  it('gives what comes from when it was taken on, and ends with the run', async () => {
    const { channel, print } = console_();
    print('before ');
    const chunks: string[] = [];
    const read = (async () => {
      for await (const chunk of channel.readable.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>)
        chunks.push(chunk);
    })();
    print('one ');
    print('two');
    channel.end('power-off');
    await read;
    expect(chunks.join('')).toBe('one two');
    expect(channel.readable).toBe(channel.readable);
  });

  it('makes the guest wait for a reader who falls behind, not for one who has gone', async () => {
    const { channel, print } = console_();
    const reader = channel.readable.getReader();
    expect(print('little')).toBeUndefined();
    await reader.read();
    let open = false;
    const room = print(new Uint8Array(100_000)) as Promise<void>;
    expect(room).toBeInstanceOf(Promise);
    void room.then(() => (open = true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(open).toBe(false);
    expect((await reader.read()).value!.length).toBe(100_000);
    await room;
    const again = print(new Uint8Array(100_000)) as Promise<void>;
    await reader.cancel();
    await again;
    expect(print(new Uint8Array(100_000))).toBeUndefined();
  });

  it('of a run that is over is at its end', async () => {
    const { channel } = console_();
    channel.end('power-off');
    expect(await channel.readable.getReader().read()).toEqual({ done: true, value: undefined });
  });

  it('and a callback have an array each, and both may make the guest wait', async () => {
    const channel = new MachineChannel(() => undefined);
    const reader = channel.readable.getReader();
    const wait = Promise.withResolvers<void>();
    const receive = channel.receiver((mine) => {
      mine.fill(0);
      return wait.promise;
    });
    let open = false;
    void Promise.resolve(receive(bytes('text'))).then(() => (open = true));
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('text');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(open).toBe(false);
    wait.resolve();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(open).toBe(true);
  });
});

describe('typing', () => {
  it('takes text and bytes, and waits for room', async () => {
    const typed: string[] = [];
    const room = Promise.withResolvers<void>();
    const { channel } = console_((input) => {
      typed.push(new TextDecoder().decode(input));
      return typed.length === 2 ? room.promise : undefined;
    });
    await channel.type('ls é\n');
    let done = false;
    const second = channel.type(bytes('x')).then(() => (done = true));
    await Promise.resolve();
    expect([typed, done]).toEqual([['ls é\n', 'x'], false]);
    room.resolve();
    await second;
    const writer = channel.writable.getWriter();
    await writer.write('stream');
    await writer.write(bytes('ed'));
    expect(typed.slice(2)).toEqual(['stream', 'ed']);
  });

  it.each([5, null, undefined, ['x'], {}])('refuses %j', async (value) => {
    expect(await codeOf(console_().channel.type(value as never))).toMatchObject({ code: 'BAD_OPTION' });
  });
});
