// The forms of a profile: a made one is read back, by a reader of protocol buffers that knows nothing of what wrote them, and by what speedscope's description of its format asks for.
import { describe, expect, it } from 'vitest';
import { DragomanError } from '../../../src/api/errors.ts';
import { folded } from '../../../src/clients/flame/folded.ts';
import { type CodeNames, knownNames, named } from '../../../src/clients/flame/names.ts';
import { pprof } from '../../../src/clients/flame/pprof.ts';
import { MOST_SAMPLES, MOST_STACKS, Profile } from '../../../src/clients/flame/profile.ts';
import { speedscope } from '../../../src/clients/flame/speedscope.ts';
import { fields, messages, number, packed } from './protobuf.ts';

const names: CodeNames = { functionAt: (address) => ({ 3073: 'open', 3074: 'read it;now', 3075: 'main' })[address >>> 4] };
const kernel = (...frames: number[]) => ({ frames, process: undefined, cut: false });

/** Two CPUs. */
function made(): Profile {
  const profile = new Profile(2);
  profile.add(0, kernel(0xc015, 0xc031), 1000);
  profile.add(0, kernel(0xc016, 0xc032), 500);
  profile.add(0, kernel(0xc016, 0xc032), 300.4);
  profile.addSpecial(0, 'idle', 2 ** 40, 0);
  profile.add(1, kernel(0xc029, 0xc031), 7);
  profile.add(1, { frames: [0x08048123, 0x08048200], process: 0x1234000, cut: true }, 20);
  profile.addSpecial(1, 'lost', 30, 2);
  profile.add(1, kernel(0xf800), 1);
  return profile;
}

describe('names', () => {
  it('are the function’s without how far it is inside, by the call for a caller', () => {
    const { frames, stacks } = named(made(), names);
    const text = (n: number) => stacks[n]!.map((frame) => frames[frame]!.name);
    expect(text(0)).toEqual(['main', 'open']);
    expect(text(1)).toEqual(text(0));
    expect(text(4)).toEqual(['[process 0x01234000]', '[more callers]', '0x08048200', '0x08048123']);
    expect(text(6)).toEqual(['0x0000f800']);
    // 0xc030 is the first address of main: the call is before it.
    const profile = new Profile(1);
    profile.add(0, kernel(0xc030, 0xc030), 1);
    const found = named(profile, names);
    expect(found.stacks[0]!.map((frame) => found.frames[frame]!.name)).toEqual(['read it;now', 'main']);
  });
});

describe('names of the guest', () => {
  const refused = (code: 'NO_SYMBOLS' | 'BAD_STATE' | 'BAD_OPTION') => () => {
    throw new DragomanError(code, 'none');
  };

  it('are looked for where nobody gave any, and may be missing', () => {
    let looks = 0;
    const look = () => void looks++;
    expect([knownNames({ ...names, areKnown: true }, look).functionAt(0xc015), looks]).toEqual(['open', 0]);
    knownNames({ ...names, areKnown: false }, look);
    expect(looks).toBe(1);
    for (const code of ['NO_SYMBOLS', 'BAD_STATE'] as const) knownNames({ ...names, areKnown: false }, refused(code));
    expect(() => knownNames({ ...names, areKnown: false }, refused('BAD_OPTION'))).toThrow('none');
  });
});

describe('folded stacks', () => {
  it('are lines, each once', () => {
    expect(folded(made(), named(made(), names)).trimEnd().split('\n')).toEqual([
      '0x0000f800 1',
      '[idle] 1099511627776',
      '[lost_samples] 30',
      '[process_0x01234000];[more_callers];0x08048200;0x08048123 20',
      'main;open 1800',
      'main;read_it:now 7',
    ]);
  });
});

describe('speedscope', () => {
  it('has a profile for each CPU, in order', () => {
    const file = JSON.parse(speedscope(made(), named(made(), names), 'vmlinuz'));
    expect(file.$schema).toBe('https://www.speedscope.app/file-format-schema.json');
    expect(file).toMatchObject({ name: 'vmlinuz', exporter: 'dragoman', activeProfileIndex: 0 });
    expect(file.profiles).toHaveLength(2);
    for (const profile of file.profiles) {
      expect(profile).toMatchObject({ type: 'sampled', unit: 'nanoseconds', startValue: 0 });
      expect(profile.samples).toHaveLength(profile.weights.length);
      expect(profile.endValue).toBe(profile.weights.reduce((sum: number, weight: number) => sum + weight, 0));
      for (const frame of profile.samples.flat()) expect(file.shared.frames[frame].name).toBeTypeOf('string');
    }
    const [first] = file.profiles;
    expect(first.weights).toEqual([1000, 800, 2 ** 40]);
    expect(first.samples.map((stack: number[]) => stack.map((frame) => file.shared.frames[frame].name))).toEqual([
      ['main', 'open'],
      ['main', 'open'],
      ['[idle]'],
    ]);
  });
});

describe('pprof', () => {
  const all = fields(pprof(made(), named(made(), names), 'vmlinuz', 1e6));
  const strings = messages(all, 6).map((bytes) => new TextDecoder().decode(bytes));
  const string = (message: readonly ReturnType<typeof fields>[number][], of: number) => strings[number(message, of)];
  const types = [...messages(all, 1), ...messages(all, 11)].map(fields);
  const functions = new Map(
    messages(all, 5)
      .map(fields)
      .map((one) => [number(one, 1), string(one, 2)]),
  );
  const locations = new Map(
    messages(all, 4)
      .map(fields)
      .map((one) => [number(one, 1), functions.get(number(fields(messages(one, 4)[0]!), 1))]),
  );

  it('says what it counts', () => {
    expect(strings[0]).toBe('');
    expect(types.map((type) => [string(type, 1), string(type, 2)])).toEqual([
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
      ['cpu', 'nanoseconds'],
    ]);
    expect(number(all, 12)).toBe(1e6);
    expect(number(all, 10)).toBe(1800 + 2 ** 40);
    const [mapping] = messages(all, 3).map(fields);
    expect([number(mapping!, 1), string(mapping!, 5), number(mapping!, 7)]).toEqual([1, 'vmlinuz', 1]);
  });

  it('has each stack of each CPU, the innermost first', () => {
    const samples = messages(all, 2)
      .map(fields)
      .map((sample) => {
        const label = fields(messages(sample, 3)[0]!);
        expect(string(label, 1)).toBe('cpu');
        return [number(label, 3), packed(sample, 1).map((location) => locations.get(location)), packed(sample, 2)];
      });
    expect(samples).toEqual([
      [0, ['open', 'main'], [1, 1000]],
      [0, ['open', 'main'], [2, 800]],
      [0, ['[idle]'], [0, 2 ** 40]],
      [1, ['read it;now', 'main'], [1, 7]],
      [1, ['0x08048123', '0x08048200', '[more callers]', '[process 0x01234000]'], [1, 20]],
      [1, ['[lost samples]'], [2, 30]],
      [1, ['0x0000f800'], [1, 1]],
    ]);
  });
});

describe('memory', () => {
  it('is bounded: what is too much is added up', () => {
    const profile = new Profile(1);
    for (let n = 0; n < MOST_STACKS + 10; n++) profile.add(0, kernel(n), 1);
    expect(profile.stacks).toHaveLength(MOST_STACKS + 1);
    expect(profile.stacks.at(-1)).toMatchObject({ special: 'other' });
    const [cpu] = profile.cpus;
    expect([cpu!.ns.at(-1), cpu!.counts.at(-1)]).toEqual([10, 10]);
    for (let n = 0; n < 2 * MOST_SAMPLES; n++) profile.add(0, kernel(n & 1), 1);
    expect(cpu!.ns.length).toBeLessThan(MOST_SAMPLES + 3);
    expect(cpu!.ns.reduce((sum, ns) => sum + ns, 0)).toBe(MOST_STACKS + 10 + 2 * MOST_SAMPLES);
  });
});
