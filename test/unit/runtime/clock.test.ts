// The time-stamp counter while the guest's clock lags: the runtime's and the machine's (clock-lag.ts) are the same number.
import { expect, test } from 'vitest';
import { Gpr } from '../../../src/layout/cpu.ts';
import { ClockAsks } from '../../../src/layout/memory.ts';
import { CATCH_UP, ClockLag } from '../../../src/machine/board/clock-lag.ts';
import { machine } from './machine.ts';

test('the counter lags as the clock does', async () => {
  const m = await machine();
  const lag = new ClockLag(m.memory);
  const tsc = (host: number) => {
    m.host.tsc = BigInt(host);
    m.call.rdtsc!(m.cpu);
    return m.gpr(Gpr.EDX) * 2 ** 32 + m.gpr(Gpr.EAX);
  };
  m.control('clockAsks', 0);
  expect(tsc(7e9)).toBe(7e9);
  lag.grow(7e9, 3_000_001);
  expect(tsc(7e9)).toBe(7e9 - 3_000_001);
  for (let host = 7e9; host < 7e9 + 3_000_001 / CATCH_UP + 1e6; host += 1_234_567) expect(tsc(host)).toBe(Math.floor(host - lag.at(host)));
  expect(lag.lags).toBe(true);
  lag.relax(8e9);
  expect(lag.lags).toBe(false);
  m.control('clockAsks', ClockAsks.LAGS);
  expect(tsc(9e9), 'nothing is left of it').toBe(9e9);
});
