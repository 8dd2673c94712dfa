// A profile in the file format of speedscope (its file-format-spec.ts): a 'sampled' profile for each CPU, samples in their order, weights in nanoseconds.
import type { NamedProfile } from './names.ts';
import type { Profile } from './profile.ts';

export function speedscope(profile: Profile, { frames, stacks }: NamedProfile, name: string): string {
  const profiles = profile.cpus.map(({ stacks: met, ns }, cpu) => {
    const weights = ns.map(Math.round);
    return {
      type: 'sampled',
      name: `CPU ${cpu}`,
      unit: 'nanoseconds',
      startValue: 0,
      endValue: weights.reduce((sum, weight) => sum + weight, 0),
      samples: met.map((stack) => stacks[stack]!),
      weights,
    };
  });
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'dragoman',
    name,
    activeProfileIndex: 0,
    shared: { frames: frames.map((frame) => ({ name: frame.name })) },
    profiles,
  });
}
