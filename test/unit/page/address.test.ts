// The demo page's address and settings say the same, both ways; what an address says that cannot be is told, a sentence each.
import { describe, expect, it } from 'vitest';
import { readAddress, writeAddress } from '../../../examples/browser/app/address.ts';
import { defaultSettings, machineOptions, type Settings } from '../../../examples/browser/app/settings.ts';
import { MiB } from '../../../src/api/index.ts';

const PAGE = 'http://localhost/demo/?old=1#here';
const DEFAULTS = defaultSettings(4);
const PANELS = ['numbers', 'code-map'];
const read = (search: string) => readAddress(new URL(search, PAGE), DEFAULTS, PANELS);

const SETTINGS: Settings = {
  kernel: new URL('http://localhost/demo/bzImage'),
  initrd: new URL('https://elsewhere/initrd.gz?a=b&c=d'),
  append: 'console=ttyS0 quiet "a=b&c"',
  cpus: 2,
  memory: 64 * MiB + 64 * 1024,
  engine: 'interpreter',
  encoder: 'direct',
  mode: 'classic',
  relax: ['directmap', '-holes'],
  seed: 0xffffffff,
  reverse: true,
  disks: ['work', 'my disk'],
  network: 'lab & co',
};

describe('the address of the demo page', () => {
  it('says nothing where all is as it is by default', () => {
    expect(read('?')).toEqual({ settings: DEFAULTS, view: { panel: undefined, tour: undefined }, problems: [] });
    expect(writeAddress(new URL(PAGE), DEFAULTS, DEFAULTS, { panel: undefined, tour: undefined }).href).toBe('http://localhost/demo/#here');
  });

  it('is read as what was written', () => {
    const address = writeAddress(new URL(PAGE), SETTINGS, DEFAULTS, { panel: 'code-map', tour: 3 });
    expect(read(address.search)).toEqual({ settings: SETTINGS, view: { panel: 'code-map', tour: 3 }, problems: [] });
    expect(address.searchParams.get('memory')).toBe('65600K');
  });

  it.each<[string, string, Partial<Settings>]>([
    ['names a file beside the page', '?kernel=images/bzImage', { kernel: new URL('http://localhost/demo/images/bzImage') }],
    ['has sizes with units', '?memory=1G&cpus=1', { memory: 1024 * MiB, cpus: 1 }],
    ['says that a seed is 0', '?seed=0', { seed: 0 }],
  ])('%s', (_, search, some) => {
    expect(read(search)).toEqual({ settings: { ...DEFAULTS, ...some }, view: { panel: undefined, tour: undefined }, problems: [] });
  });

  it.each([
    ['?cpus=0', "cpus: '0' is not a number of CPUs (1 to 64)"],
    ['?cpus=2&cpus=3', 'cpus: is given more than once; the first one counts'],
    ['?sede=1', "sede: there is no such parameter; is 'seed' meant?"],
    [
      '?whatever',
      'whatever: there is no such parameter; there are kernel, initrd, append, cpus, memory, engine, encoder, mode, relax, seed, reverse, disks, network, panel, tour',
    ],
    ['?kernel=http://', "kernel: 'http://' is not the address of a file"],
    ['?mode=clasic', "mode: 'clasic' is not one of 'relaxed' and 'transparent' and 'classic'; is 'classic' meant?"],
    ['?tour=9', "tour: '9' is not a step of the tour (1 to 8)"],
    ['?panel=codemap', "panel: there is no panel 'codemap'; is 'code-map' meant?"],
  ])('%s: %s', (search, problem) => {
    expect(read(search).problems).toEqual([problem]);
  });

  it('does not take a memory that there is no room for beside so many CPUs', () => {
    const { settings, problems } = read('?cpus=64&memory=1900');
    expect(settings).toEqual({ ...DEFAULTS, cpus: 64 });
    expect(problems).toEqual([expect.stringMatching(/^memory: .* with 64 CPUs/)]);
  });

  it('says no file that somebody brought', () => {
    const address = writeAddress(new URL(PAGE), { ...DEFAULTS, kernel: new File([], 'mine') }, DEFAULTS, {
      panel: undefined,
      tour: undefined,
    });
    expect(address.search).toBe('');
  });

  it('leads to the options of a machine', () => {
    const serai = new URL('http://localhost/serai.elf');
    expect(machineOptions(DEFAULTS, serai, true)).toMatchObject({ kernel: serai, cpus: 4, memoryBytes: 256 * MiB, lockstep: undefined });
    expect(machineOptions({ ...DEFAULTS, seed: 0 }, serai, true)).toMatchObject({ lockstep: { seed: 0, reverse: false } });
    expect(machineOptions({ ...DEFAULTS, reverse: true }, serai, true)).toMatchObject({
      lockstep: { seed: undefined, reverse: { every: expect.any(Number) } },
    });
    // Without threads the CPUs take turns, by an encoder that is at hand.
    expect(machineOptions(DEFAULTS, serai, false)).toMatchObject({ lockstep: { seed: undefined }, encoder: 'direct' });
  });
});
