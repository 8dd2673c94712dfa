// What a guest cannot do to its host: damaged and foreign messages, too many fids, files and names, random bytes. Every message is answered, and the session works behind it.
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ShareError } from '../../../src/share/errors.ts';
import { Fids, MOST_FIDS, MOST_LISTED, MOST_OPEN, MOST_PATH_CHARACTERS } from '../../../src/share/fids.ts';
import { MessageReader } from '../../../src/share/message.ts';
import { Open, RLERROR, T } from '../../../src/share/protocol.ts';
import { ERROR_BYTES, type ShareSession } from '../../../src/share/session.ts';
import type { SharedFile, ShareTree } from '../../../src/share/tree.ts';
import { errorOf, MSIZE, ROOT } from './client.ts';
import { shared } from './folder.ts';

const TYPES = Object.values(T);

/** Sends bytes as they are; the answer's type, and the number of an error. */
async function send(session: ShareSession, bytes: Uint8Array, room = MSIZE): Promise<[type: number, error: number]> {
  const answer = await session.handle(bytes, room);
  const head = new MessageReader(answer, 0);
  const [size, type] = [head.u32(), head.u8()];
  if (size !== answer.length || size > room) throw new Error(`${size} bytes in ${answer.length}, room for ${room}`);
  head.u16();
  return [type, type === RLERROR ? head.u32() : 0];
}

/** A generator of numbers below `n`. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

it('answers every message that is cut off with an error', async () => {
  const { client, session, faults } = await shared();
  const whole = [
    client.message(T.WALK, (to) => to.u32(ROOT).u32(1).u16(2).text('dir').text('inner')),
    client.message(T.LCREATE, (to) => to.u32(ROOT).text('name').u32(1).u32(0o644).u32(0)),
    client.message(T.WRITE, (to) =>
      to
        .u32(ROOT)
        .u64(0n)
        .u32(4)
        .bytes(Uint8Array.of(1, 2, 3, 4)),
    ),
    client.message(T.RENAMEAT, (to) => to.u32(ROOT).text('hello').u32(ROOT).text('other')),
    client.message(T.GETLOCK, (to) => to.u32(ROOT).u8(1).u64(3n).u64(9n).u32(42).text('me')),
    client.message(T.ATTACH, (to) => to.u32(9).u32(0).text('').text('').u32(0)),
  ];
  for (const { bytes } of whole)
    for (let length = 7; length < bytes.length; length++) expect(await send(session, bytes.subarray(0, length))).toEqual([RLERROR, 22]);
  for (const type of TYPES) expect((await send(session, client.message(type, () => {}).bytes))[0]).toBe(RLERROR);
  expect([await errorOf(client.stat(ROOT)), faults]).toEqual(['none', []]);
});

it('refuses messages that nobody knows, and those that are too long', async () => {
  const { client, session } = await shared();
  for (let type = 0; type < 256; type++) {
    if ((TYPES as number[]).includes(type)) continue;
    expect(await send(session, client.message(type, () => {}).bytes)).toEqual([RLERROR, 95]);
  }
  expect(await send(session, client.message(T.CLUNK, (to) => to.u32(ROOT).bytes(new Uint8Array(MSIZE))).bytes)).toEqual([RLERROR, 90]);
  await client.version(8192);
  await client.attach();
  expect(await send(session, client.message(T.CLUNK, (to) => to.u32(ROOT).bytes(new Uint8Array(8192 - 10))).bytes)).toEqual([RLERROR, 90]);
  const fid = await client.to('hello');
  await client.open(fid, Open.READ_WRITE);
  await client.write(fid, 0, new Uint8Array(8000));
  await client.write(fid, 8000, new Uint8Array(8000));
  expect((await client.read(fid, 0, 1 << 30)).length).toBe(8192 - 11);
  // An answer that the guest has no room for.
  for (let room = ERROR_BYTES; room < 100; room++)
    expect((await send(session, client.message(T.GETATTR, (to) => to.u32(fid).u64(0n)).bytes, room))[1]).toBe(90);
});

it('has 10,000 fids, and forgets them', async () => {
  const { client, session } = await shared();
  const numbers = Array.from({ length: 10_000 }, (_, n) => 1000 + n);
  await Promise.all(numbers.map((fid) => client.walk(ROOT, fid, fid % 100 === 0 ? ['hello'] : [])));
  expect(session.fids).toBe(10_001);
  expect([(await client.stat(1100)).size, (await client.stat(1101)).qid.type]).toEqual([19n, 0x80]);
  await Promise.all(numbers.map((fid) => client.clunk(fid)));
  expect(session.fids).toBe(1);
});

it('has no more fids, characters of their paths, and names of folders than it may', async () => {
  let fids = new Fids();
  const code = (work: () => unknown) => {
    try {
      return work() as undefined;
    } catch (error) {
      return (error as ShareError).code;
    }
  };
  for (let n = 0; n < MOST_FIDS; n++) fids.add(n, 'path', false);
  expect([code(() => fids.add(MOST_FIDS, '', true)), code(() => fids.add(1, '', true))]).toEqual(['ENFILE', 'EBADF']);
  await fids.remove(77);
  fids.add(MOST_FIDS, '', true);
  fids = new Fids();
  const long = 'x'.repeat(4096);
  for (let n = 0; n < MOST_PATH_CHARACTERS / 4096; n++) fids.add(n, long, true);
  expect([fids.count, code(() => fids.add(99999, 'x', true)), code(() => fids.checkRename(long, `${long.slice(2)}yyy`))]).toEqual([
    16384,
    'ENFILE',
    'ENAMETOOLONG',
  ]);
  await fids.remove(1);
  const names = Array<string>(MOST_LISTED / 2).fill('name');
  fids.list(fids.get(2), names);
  fids.list(fids.get(3), names);
  expect(code(() => fids.list(fids.get(4), ['one']))).toBe('ENOMEM');
  fids.list(fids.get(2), ['other']);
  await fids.remove(3);
  fids.list(fids.get(4), names);
});

it('has no path that is too long', async () => {
  const { client } = await shared();
  const name = 'n'.repeat(250);
  let fid = ROOT;
  for (let depth = 0; depth < 16; depth++) {
    await client.makeFolder(fid, name);
    const next = client.newFid();
    await client.walk(fid, next, [name]);
    fid = next;
  }
  expect(await errorOf(client.makeFolder(fid, name))).toBe('ENAMETOOLONG');
  expect(await errorOf(client.create(fid, 'short', Open.WRITE))).toBe('none');
  const deep = await client.to(`${Array(16).fill(name).join('/')}/short`);
  // What is below would be too long.
  await client.makeFolder(ROOT, 'm'.repeat(255));
  const long = await client.to('m'.repeat(255));
  expect(await errorOf(client.renameAt(ROOT, name, long, name))).toBe('ENAMETOOLONG');
  expect(await errorOf(client.renameAt(ROOT, name, ROOT, 'x'))).toBe('none');
  expect((await client.stat(deep)).size).toBe(0n);
  for (const target of ['', '\0', `${'t'.repeat(5000)}`])
    expect(await errorOf(client.makeLink(ROOT, 'link', target))).toMatch(/ENOENT|EINVAL|ENAMETOOLONG/);
});

/** A tree whose files are none of the host's. */
const madeUp = () => {
  const count = { open: 0, closed: 0 };
  const wrap = (tree: ShareTree): ShareTree =>
    new Proxy(tree, {
      get(real, key) {
        if (key === 'open')
          return async () => {
            count.open++;
            return { stat: () => real.stat(''), close: async () => void count.closed++ } as unknown as SharedFile;
          };
        const value = Reflect.get(real, key, real);
        return typeof value === 'function' ? value.bind(real) : value;
      },
    });
  return { count, wrap };
};

it('opens no more files than it may, and closes them with the session', async () => {
  const { count, wrap } = madeUp();
  const { client, session } = await shared({ wrap });
  const fids: number[] = [];
  for (let n = 0; n <= MOST_OPEN; n++) {
    fids.push(client.newFid());
    await client.walk(ROOT, fids.at(-1)!, ['hello']);
  }
  const opened = await Promise.all(fids.map((fid) => errorOf(client.open(fid, Open.READ))));
  // Any of them, as they are looked at at once.
  expect(opened.filter((error) => error !== 'none')).toEqual(['EMFILE']);
  const last = opened.indexOf('EMFILE');
  await client.clunk(fids[(last + 1) % fids.length]!);
  await client.open(fids[last]!, Open.READ);
  expect(count).toEqual({ open: MOST_OPEN + 1, closed: 1 });
  await client.version();
  expect([count, session.fids]).toEqual([{ open: MOST_OPEN + 1, closed: MOST_OPEN + 1 }, 0]);
});

it('makes EIO of what nobody expects, and tells of it', async () => {
  const wrap = (tree: ShareTree): ShareTree =>
    new Proxy(tree, {
      get: (real, key) =>
        key === 'readLink' ? async () => Promise.reject(new TypeError('a fault')) : Reflect.get(real, key, real).bind(real),
    });
  const { client, faults } = await shared({ wrap });
  expect(await errorOf(client.readLink(await client.to('within')))).toBe('EIO');
  expect(faults).toEqual([new TypeError('a fault')]);
});

it.each([1, 2, 3])('survives random messages, seed %i', async (seed) => {
  const { client, session, faults, at } = await shared();
  writeFileSync(at('dir/victim'), 'x'.repeat(100));
  const below = random(seed);
  const names = ['dir', 'hello', 'inner', '..', '.', '', 'new', 'out', 'up', 'passwd', 'a/b', '\0', 'n'.repeat(300), 'within'];
  const pick = <X>(all: readonly X[]): X => all[below(all.length)]!;
  const number = () => pick([0, 1, 2, 3, 4, 5, 7, 100, 0x200, 0o100644, 0xffffffff, 0x7fffffff, below(2 ** 32)]);
  const answers = new Set<number>();
  const asked: Promise<void>[] = [];
  for (let n = 0; n < 3000; n++) {
    // Fields of the right and of wrong sizes, behind a type that there is, mostly.
    const type = below(20) === 0 ? below(256) : pick(TYPES);
    if (type === T.VERSION && below(50) !== 0) continue;
    const { bytes } = client.message(type, (to) => {
      if (below(3) > 0) to.u32(below(6));
      for (let field = below(8); field >= 0; field--) {
        const kind = below(6);
        if (kind < 2) to.u32(number());
        else if (kind === 2) to.text(pick(names));
        else if (kind === 3) to.u64(BigInt(number()) << BigInt(pick([0, 0, 32])));
        else if (kind === 4) to.u16(below(4));
        else to.bytes(Uint8Array.from({ length: below(40) }, () => below(256)));
      }
    });
    const room = pick([ERROR_BYTES, 64, 4096, MSIZE]);
    asked.push(send(session, bytes, room).then(([kind]) => void answers.add(kind)));
    if (below(10) === 0) {
      await Promise.all(asked.splice(0));
      if (session.fids === 0) {
        await client.version();
        await client.attach();
      }
    }
  }
  await Promise.all(asked);
  // Some of it did something.
  expect(answers.size).toBeGreaterThan(8);
  expect(faults).toEqual([]);
  await client.version();
  expect((await client.attach()).type).toBe(0x80);
});
