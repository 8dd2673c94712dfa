// The demo page's session over small machines: its signals follow what becomes of a machine, and say why one crashed or could not be made.
import { effect } from '@preact/signals';
import { afterEach, describe, expect, it } from 'vitest';
import { type Output, Session } from '../../../examples/browser/app/session.ts';
import { defaultSettings, type Settings } from '../../../examples/browser/app/settings.ts';
import { CLI_HLT, ECHO, kernel, SPIN, UD2 } from '../machine/programs.ts';

const SERAI = new URL('file:///nowhere/serai.elf');
const settings = (...code: string[]): Settings => ({
  ...defaultSettings(1),
  engine: 'interpreter',
  memory: 4 << 20,
  kernel: new File([Buffer.from(kernel(...code))], 'small.elf'),
});

class Shown implements Output {
  text = '';
  resets = 0;
  show(bytes: Uint8Array): undefined {
    this.text += Buffer.from(bytes).toString();
  }
  reset(): void {
    this.text = '';
    this.resets++;
  }
}

let session: Session;
function make(first: Settings) {
  const output = new Shown();
  session = new Session(output, first, SERAI);
  const states: string[] = [];
  effect(() => void states.push(session.state.value));
  return { output, states, error: session.error, ended: session.ended };
}
/** Until the session's state is this. */
const until = (state: string) => expect.poll(() => session.state.value, { timeout: 20_000, interval: 10 }).toBe(state);

describe('the session of the demo page', () => {
  afterEach(async () => {
    await session.machine.value?.close();
  });

  it('follows a machine that is paused, resumed, typed into and stopped', async () => {
    const { output, states, error, ended } = make(settings(ECHO, SPIN));
    await session.start();
    expect(session.machine.value!.state).toBe('running');
    session.type('a');
    await expect.poll(() => output.text, { timeout: 20_000, interval: 10 }).toBe('a');
    await session.pause();
    const ticks = session.tick.value;
    await session.resume();
    session.typeBytes('\xff');
    await expect.poll(() => session.tick.value, { timeout: 20_000, interval: 50 }).toBeGreaterThan(ticks);
    session.stop();
    await until('ended');
    expect(states).toEqual(['none', 'starting', 'running', 'paused', 'running', 'ended']);
    expect(ended.value).toMatch(/^stopped \(\d+\.\d s\)$/);
    expect(error.value).toBeUndefined();
    // It may be looked at still, and takes nothing.
    expect(session.machine.value!.state).toBe('ended');
    session.type('b');
    await session.pause();
  });

  it('ends the machine that runs when the next one is started, and says nothing of its end', async () => {
    const { output, states, ended } = make(settings(SPIN));
    await session.start();
    const first = session.machine.value;
    await session.start(settings(CLI_HLT));
    expect(session.machine.value).not.toBe(first);
    await until('ended');
    expect(states).toEqual(['none', 'starting', 'running', 'starting', 'running', 'ended']);
    expect(ended.value).toMatch(/^the guest halted with interrupts off/);
    expect(output.resets).toBe(2);
  });

  it('reports a crash with the state of the machine', async () => {
    const { error, ended } = make(settings(UD2));
    await session.start();
    await until('ended');
    expect(ended.value).toMatch(/^triple fault \(/);
    expect(error.value).toMatchObject({ title: 'The guest crashed', text: 'triple fault', details: expect.stringContaining('00100020') });
    await session.start(settings(SPIN));
    expect(error.value).toBeUndefined();
  });

  it('reports why a machine could not be made, without what is of no use to who brought the file', async () => {
    const { error, states } = make({ ...settings(), kernel: new File(['no kernel at all, but some text that is long enough'], 'letter') });
    await session.start();
    expect(states).toEqual(['none', 'starting', 'none']);
    expect(error.value).toEqual({ title: 'The machine could not be made', text: expect.stringMatching(/^kernel: /), details: undefined });
  });
});
