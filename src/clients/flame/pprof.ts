// A profile as pprof reads it (github.com/google/pprof, proto/profile.proto), before it is compressed: samples with a number and nanoseconds, a label for the CPU.
import type { NamedProfile } from './names.ts';
import type { CpuProfile, Profile } from './profile.ts';
import { Message } from './protobuf.ts';

/** Numbers of the fields, by their messages. */
const PROFILE = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  strings: 6,
  durationNanos: 10,
  periodType: 11,
  period: 12,
};
const VALUE_TYPE = { type: 1, unit: 2 };
const SAMPLE = { location: 1, value: 2, label: 3 };
const LABEL = { key: 1, number: 3 };
const MAPPING = { id: 1, start: 2, limit: 3, fileName: 5, hasFunctions: 7 };
const LOCATION = { id: 1, mapping: 2, address: 3, line: 4 };
const LINE = { function: 1 };
const FUNCTION = { id: 1, name: 2, systemName: 3 };

/** All that a CPU met, each stack once: how often, and nanoseconds. */
function sums({ stacks, ns, counts }: CpuProfile): Map<number, readonly [count: number, ns: number]> {
  const found = new Map<number, readonly [number, number]>();
  stacks.forEach((stack, n) => {
    const [count, sum] = found.get(stack) ?? [0, 0];
    found.set(stack, [count + counts[n]!, sum + ns[n]!]);
  });
  return found;
}

/** `periodNs`: a sample is for so many nanoseconds, on average. */
export function pprof(profile: Profile, { frames, stacks }: NamedProfile, kernel: string, periodNs: number): Uint8Array<ArrayBuffer> {
  const strings: string[] = [''];
  const numbers = new Map([['', 0]]);
  const string = (text: string) => {
    let number = numbers.get(text);
    if (number === undefined) numbers.set(text, (number = strings.push(text) - 1));
    return number;
  };
  const type = (name: string, unit: string) => new Message().number(VALUE_TYPE.type, string(name)).number(VALUE_TYPE.unit, string(unit));
  const out = new Message();
  out.message(PROFILE.sampleType, type('samples', 'count')).message(PROFILE.sampleType, type('cpu', 'nanoseconds'));
  let longest = 0;
  profile.cpus.forEach((cpu, index) => {
    const label = new Message().number(LABEL.key, string('cpu')).number(LABEL.number, index);
    let duration = 0;
    for (const [stack, [count, ns]] of sums(cpu)) {
      duration += ns;
      const sample = new Message();
      // The innermost first. Numbers of locations begin with 1.
      sample.numbers(SAMPLE.location, stacks[stack]!.map((frame) => frame + 1).reverse());
      sample.numbers(SAMPLE.value, [count, Math.round(ns)]).message(SAMPLE.label, label);
      out.message(PROFILE.sample, sample);
    }
    longest = Math.max(longest, duration);
  });
  const mapping = new Message()
    .number(MAPPING.id, 1)
    .number(MAPPING.start, 0)
    .number(MAPPING.limit, 2 ** 32);
  out.message(PROFILE.mapping, mapping.number(MAPPING.fileName, string(kernel)).number(MAPPING.hasFunctions, 1));
  frames.forEach(({ name, address }, n) => {
    const line = new Message().number(LINE.function, n + 1);
    const location = new Message()
      .number(LOCATION.id, n + 1)
      .number(LOCATION.mapping, 1)
      .number(LOCATION.address, address ?? 0);
    out.message(PROFILE.location, location.message(LOCATION.line, line));
    const text = string(name);
    out.message(
      PROFILE.function,
      new Message()
        .number(FUNCTION.id, n + 1)
        .number(FUNCTION.name, text)
        .number(FUNCTION.systemName, text),
    );
  });
  out.number(PROFILE.durationNanos, Math.round(longest));
  out.message(PROFILE.periodType, type('cpu', 'nanoseconds')).number(PROFILE.period, Math.round(periodNs));
  // Behind all who name one.
  for (const text of strings) out.text(PROFILE.strings, text);
  return out.finish();
}
