// What the demo page keeps of what a machine did: also while nobody shows it, a minute of it, of the machine that there is.
import { describe, expect, it } from 'vitest';
import { clientsOf } from '../../../examples/browser/app/attached-clients.ts';
import { crossingRates } from '../../../examples/browser/app/client-rates.ts';
import { activity, historyOf, type LookAt, MOST_LOOKS } from '../../../examples/browser/app/histories.ts';
import { Session } from '../../../examples/browser/app/session.ts';
import { defaultSettings } from '../../../examples/browser/app/settings.ts';
import type { AttachedClient, Machine } from '../../../src/api/index.ts';

const newSession = () => new Session({ show: () => undefined, reset() {} }, defaultSettings(1), new URL('file:///nowhere'));

/** A machine of one CPU: what it says of itself at a time of its clock. */
function machineAt(clock: { ms: number }): Machine {
  const cpu = () => ({
    ...{ state: 'kernel', eip: 0, ranMs: clock.ms, idleMs: 0, offMs: 0, samples: { kernel: 0, user: 0 } },
    ...{ interrupts: clock.ms / 10, faults: 0, tlbMisses: 0, addressSpaces: 0 },
  });
  return { activity: () => ({ state: 'running', ms: clock.ms, cpus: [cpu()], regions: 0, installs: 0 }) } as unknown as Machine;
}

describe('histories of the demo page', () => {
  it('are kept while nobody shows them, and begin anew with another machine', () => {
    const session = newSession();
    const clock = { ms: 0 };
    expect(historyOf(session, activity).value).toBeUndefined();
    session.machine.value = machineAt(clock);
    for (let tick = 0; tick < 3; tick++) {
      clock.ms += 250;
      session.look();
    }
    // The clock stands still.
    session.look();
    const rates = () => historyOf(session, activity).value!.looks.map(({ shares }) => shares.cpus[0]!.interrupts);
    expect(rates()).toEqual([100, 100, 100]);
    for (let tick = 0; tick < 2 * MOST_LOOKS; tick++) {
      clock.ms += 100;
      session.look();
    }
    expect(rates().length).toBe(MOST_LOOKS);
    session.machine.value = machineAt({ ms: 0 });
    expect(rates()).toEqual([]);
    session.machine.value = undefined;
    expect(historyOf(session, activity).value).toBeUndefined();
  });

  it('are one for each look of each session', () => {
    const session = newSession();
    const look: LookAt<number> = (_, __, before = 0) => before + 1;
    session.machine.value = machineAt({ ms: 0 });
    expect(historyOf(session, look).value).toBe(1);
    session.look();
    expect(historyOf(session, look).value).toBe(2);
    expect(historyOf(newSession(), look).value).toBeUndefined();
  });

  it('of what a client counts are as long as it is attached', async () => {
    const session = newSession();
    const clock = { ms: 0 };
    const counted = { systemCalls: 0, pageFaults: 0, otherFaults: 0, interrupts: 0 };
    const client = { report: () => ({ ...counted }), detach: async () => {} } as unknown as AttachedClient;
    const clients = clientsOf(session);
    session.machine.value = Object.assign(machineAt(clock), { attach: async () => client });
    const later = (systemCalls: number) => {
      clock.ms += 500;
      counted.systemCalls += systemCalls;
      session.look();
    };
    const points = () => historyOf(session, crossingRates).value?.points.map(({ values }) => values);
    later(10);
    expect(points()).toBeUndefined();
    await clients.attach('crossings');
    later(10);
    later(20);
    later(0);
    expect(points()).toEqual([
      [20, 0, 0, 0],
      [40, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    await clients.detach('crossings');
    later(0);
    expect(points()).toBeUndefined();
  });
});
