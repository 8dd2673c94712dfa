// One CPU's thread: runs it, sleeps in HLT, installs what the translator published.
import { DROP_REGIONS, unseenModules } from '../../cache/publish.ts';
import { isLoaded, loadClient, loadedClient } from '../../clients/load.ts';
import { readClients } from '../../clients/table.ts';
import { Lifecycle, wakeBits } from '../../cpu/lifecycle.ts';
import { Vcpu } from '../../cpu/vcpu.ts';
import { CHECK_NS, IDLE_CHECK_NS, SHORT_RUN_NS } from '../../devices/lapic-timer.ts';
import { host } from '../../host/node.ts';
import { importClientCode, importOwn } from '../../host/node-clients.ts';
import { Cpu, DebugStop, Exit, Pending, Step } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import { buildBoard } from '../board/board.ts';
import { cpuHost } from '../board/cpu-host.ts';
import { pathOf } from '../board/guest-path.ts';
import type { HostClock } from '../board/host-clock.ts';
import { handOverTrace } from '../report/trace.ts';
import { HaltPoll } from './halt-poll.ts';
import { IdleWatch, wakeAt } from './idle-watch.ts';
import type { CpuMessage, CpuWorkerData } from './messages.ts';
import { Resting } from './rest.ts';

const data = await host.workerData<CpuWorkerData>();
const post = (message: CpuMessage) => host.post(message);

const { shared, clock, chipset } = buildBoard(data.board, {
  thread: data.thread,
  isHost: false,
  isFirst: false,
  onEnd: (reason) => {
    post({ kind: 'end-run', reason });
    Atomics.store(shared.i32, controlWord(Control.at.stop), 1);
    Atomics.or(shared.i32, pending, Pending.STOP);
  },
  waiting: { park: () => runtime.park(cpu.base), unpark: () => runtime.unpark(cpu.base) },
});
const { i32 } = shared;

const cpu = new Vcpu(
  data.image,
  shared,
  data.index,
  cpuHost(
    chipset,
    clock,
    data.index,
    (base) => handOverTrace(shared, base),
    () => stalls.passes(),
  ),
);
const others = Array.from({ length: shared.plan.cpuCount }, (_, index) => cpuBase(shared.plan, index)).filter((base) => base !== cpu.base);
const stalls = (clock as HostClock).watchStalls({
  words: i32,
  index: (cpu.base + Cpu.at.clockWatch) >> 2,
  othersRest: () => others.every((base) => (i32[(base + Cpu.at.halted) >> 2] | i32[(base + Cpu.at.awaitsStartup) >> 2]) !== 0),
  path: pathOf(cpu),
  lock: chipset.hub.lock,
});
cpu.engineWork = stalls;
const { runtime } = cpu.instance;
const life = new Lifecycle(cpu, () => chipset.parts.lapic.sipiVector(data.index));
const pending = (cpu.base + Cpu.at.pending) >> 2;
const resting = new Resting(i32, (cpu.base + Cpu.at.rest) >> 2, () => Atomics.load(i32, controlWord(Control.at.stop)) !== 0);
/** Bits of no interest to a CPU in HLT. */
const NO_INTERRUPT = Pending.KICK | Pending.TIMER | Pending.SMI | Pending.SAMPLE;
const timerSignal = controlWord(Control.at.timerSignal);

cpu.onInstall = () => {
  Atomics.and(i32, pending, ~Pending.INSTALL);
  const start = performance.now();
  for (const module of unseenModules(shared, cpu.base, cpu.clients)) {
    if (module === DROP_REGIONS) {
      cpu.dropRegions();
      continue;
    }
    cpu.regions.install(module);
    cpu.count(Cpu.at.countInstalls, 1);
  }
  cpu.count(Cpu.at.installNs, Math.round((performance.now() - start) * 1e6));
};

const LONG_SLEEP_NS = 20e6;
/** So many short runs in a row, and the next is expected to be one. */
const SHORT_RUNS = 3;
const watch = new IdleWatch(data.timerSlackNs);
const poll = new HaltPoll(data.polls);
let resumedAt = 0;
let shortRuns = 0;

const asleep = controlWord(Control.at.asleepForGood);

/** In the place of an Exit: code of clients is to be loaded before the CPU goes on, which takes this thread's event loop. */
const LOADS = -1;
let clientCode: Awaited<ReturnType<typeof importClientCode>> | undefined;
let awaitsCode = false;

/** Behind a rest: what the host has changed meanwhile. */
function takeChanges(): void {
  cpu.takeDebugChanges();
  const { list } = readClients(shared);
  awaitsCode = list.length > 0 && (clientCode === undefined || !list.every(({ module }) => isLoaded(module)));
  if (!awaitsCode) cpu.takeClients(({ instance, base }, list) => clientCode!.clientCode(instance, shared, base, list, loadedClient));
}

/** Loads what was missing, and takes it. The CPU is parked, so nobody waits for it; the list stays as it is until this CPU rests again. */
async function loadCode(): Promise<void> {
  clientCode ??= await importClientCode();
  for (const { module } of readClients(shared).list) await loadClient(module, importOwn);
  takeChanges();
}

/** The host asks for it; this CPU is parked. */
function rest(begin?: () => void): void {
  Atomics.and(i32, pending, ~Pending.PAUSE);
  resting.rest(begin);
  // One that waits has nothing to step through.
  while (life.waits && (cpu.get(Cpu.at.step) & Step.DEBUG) !== 0) {
    cpu.set(Cpu.at.debugStop, DebugStop.STEPPED);
    resting.rest(() => post({ kind: 'debug' }));
  }
  takeChanges();
}

/** The CPU stops where it is, for debugging. */
function stopForHost(why: number): void {
  runtime.park(cpu.base);
  cpu.set(Cpu.at.debugStop, why);
  rest(() => post({ kind: 'debug' }));
  runtime.unpark(cpu.base);
}

/** This CPU is about to sleep until another one wakes it. False where none is left that could. */
function mayBeWoken(): boolean {
  const { plan } = shared;
  if (Atomics.add(i32, asleep, 1) + 1 < plan.cpuCount) return true;
  // Who sent something before it fell asleep itself has set the bit by now.
  for (let n = 0; n < plan.cpuCount; n++) {
    const base = cpuBase(plan, n);
    if ((Atomics.load(i32, (base + Cpu.at.pending) >> 2) & wakeBits(i32, base)) !== 0) return true;
  }
  return false;
}

const stops = (): boolean => (Atomics.load(i32, pending) & Pending.STOP) !== 0;

/** Sleeps until something is pending that HLT wakes for, and runs the CPU's own timer meanwhile. False where nothing ever can be. */
function halt(): boolean {
  const haltedAt = clock.now();
  const ran = haltedAt - resumedAt;
  shortRuns = ran < SHORT_RUN_NS ? shortRuns + 1 : 0;
  // A kernel that sets its timer anew each time catches up; ticks that a periodic timer leaves out are lost.
  const late = watch.halts(haltedAt, ran);
  const slack = chipset.timerIsPeriodic(data.index) ? 0 : late;
  const enabled = life.takesInterrupts;
  const wakes = wakeBits(i32, cpu.base);
  runtime.park(cpu.base);
  let timerRan = false;
  let deadline = chipset.enterHalt(data.index);
  cpu.count(Cpu.at.idleSinceNs, Math.round(haltedAt));
  if (!enabled && !mayBeWoken()) return false;
  const pollUntil = Math.min(haltedAt + poll.ns, deadline);
  while (clock.now() < pollUntil && (Atomics.load(i32, pending) & wakes) === 0);
  for (;;) {
    const word = Atomics.load(i32, pending);
    if ((word & wakes) !== 0) break;
    const left = wakeAt(deadline, slack) - clock.now();
    // What is no interrupt is done without waking the guest; pages to drop wait for the interrupt that tells of them.
    if ((word & Pending.PAUSE) !== 0) {
      rest();
      // The host may have sent it elsewhere.
      if (awaitsCode || !life.waits || life.awaitsStartup) break;
    } else if ((word & Pending.INSTALL) !== 0) cpu.onInstall?.();
    else if ((word & NO_INTERRUPT) !== 0) Atomics.and(i32, pending, ~NO_INTERRUPT);
    else if (left <= 0) {
      deadline = chipset.runHaltedTimer(data.index);
      timerRan = true;
    } else {
      // A bit that was set since `word` was read ends the wait before it begins.
      Atomics.wait(i32, pending, word, (clock.hostNs?.(left) ?? left) / 1e6);
    }
  }
  if (!enabled) Atomics.sub(i32, asleep, 1);
  // Whoever looks at a machine that was stopped finds the CPU in HLT.
  if (!stops() && !awaitsCode) life.endHalt();
  resumedAt = clock.now();
  if (!timerRan) watch.disturbed(resumedAt);
  const slept = resumedAt - haltedAt;
  poll.woke(slept);
  cpu.count(Cpu.at.idleNs, Math.round(slept));
  i32.fill(0, (cpu.base + Cpu.at.idleSinceNs) >> 2, (cpu.base + Cpu.at.idleSinceNs + 8) >> 2);
  leaveHalt(timerRan && shortRuns >= SHORT_RUNS ? (slack > 0 ? IDLE_CHECK_NS : CHECK_NS) : 0, slept);
  runtime.unpark(cpu.base);
  return true;
}

/** Sleeps until a start-up IPI comes, and starts the CPU, or until code is to be loaded; false where the machine stops, or none can come. */
function waitForStartup(): boolean {
  runtime.park(cpu.base);
  if (!mayBeWoken()) return false;
  for (;;) {
    const word = Atomics.load(i32, pending);
    if ((word & Pending.STOP) !== 0) return false;
    if (life.wake()) break;
    if ((word & Pending.PAUSE) !== 0) {
      rest();
      if (awaitsCode) break;
    } else if ((word & Pending.INSTALL) !== 0) cpu.onInstall?.();
    else Atomics.wait(i32, pending, word);
  }
  Atomics.sub(i32, asleep, 1);
  if (!awaitsCode) {
    begin();
    leaveHalt(0, LONG_SLEEP_NS);
  }
  runtime.unpark(cpu.base);
  return true;
}

function leaveHalt(lease: number, slept: number): void {
  chipset.leaveHalt(data.index, lease);
  // The timekeeper kicks no CPU that sleeps. It sees that this one runs when it next looks; after a long sleep, tell it.
  if (lease > 0 || slept < LONG_SLEEP_NS) return;
  Atomics.add(i32, timerSignal, 1);
  Atomics.notify(i32, timerSignal);
}

// The others have run by the time that they are alone. (Where the clock stands still the guest has measured it before.)
if (data.index === 0 && i32[controlWord(Control.at.paused)] === 0) stalls.warmUp();

/** The CPU executes its first instruction. */
function begin(): void {
  resumedAt = clock.now();
  if (cpu.get(Cpu.at.startedNs) === 0) cpu.count(Cpu.at.startedNs, Math.round(resumedAt));
}

/** Runs the CPU until it ends the machine's run, or is told to stop: the last exit; or LOADS. */
function run(): number {
  for (;;) {
    if (life.waits && (cpu.get(Cpu.at.step) & Step.DEBUG) !== 0) stopForHost(DebugStop.STEPPED);
    if (awaitsCode) return LOADS;
    if (life.awaitsStartup) {
      if (!waitForStartup()) return stops() ? Exit.STOP : Exit.HALT;
      continue;
    } else if (life.waits) {
      if (!halt()) return Exit.HALT;
      if (stops()) return Exit.STOP;
      if (life.waits || awaitsCode) continue;
    }
    const exit = cpu.run();
    if (exit === Exit.TIMER) {
      Atomics.and(i32, pending, ~Pending.TIMER);
      continue;
    }
    if (exit === Exit.PAUSE) {
      runtime.park(cpu.base);
      rest();
      runtime.unpark(cpu.base);
      continue;
    }
    if (exit === Exit.DEBUG) {
      stopForHost(cpu.get(Cpu.at.debugStop));
      continue;
    }
    const end = life.after(exit);
    if (end !== undefined) return end;
  }
}

// What was asked for before the run.
takeChanges();
if (awaitsCode) await loadCode();
if (!life.awaitsStartup) begin();
runtime.unpark(cpu.base);
let exit: number;
try {
  for (exit = run(); exit === LOADS; exit = run()) {
    runtime.park(cpu.base);
    await loadCode();
    runtime.unpark(cpu.base);
  }
} finally {
  // Nobody waits for a CPU that is gone.
  runtime.park(cpu.base);
}
post({ kind: 'ended', cpu: data.index, exit, arg: cpu.get(Cpu.at.exitArg), data: cpu.get(Cpu.at.exitData) });
host.workerEnds();
