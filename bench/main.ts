// npm run bench -- [micro|translate|boot|restore|kernel|memory|smp|cliffs|new-code|clients|readers]... [--runs N] [--json FILE]: figures for people, as ratios in one run. See README.md beside this file.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ROWS } from '../guests/kbench/initrd.ts';
import { build } from '../scripts/build.ts';
import { boot, bootTable, memory, memoryTable } from './boot.ts';
import { ALL_CLIENTS, clientCosts, clientsTable } from './clients.ts';
import { cliffs, cliffsTable } from './cliffs.ts';
import { codeMap } from './code-map.ts';
import { formatTable, type Table } from './figures.ts';
import { profile } from './kernel/profile.ts';
import { kernel } from './kernel/run.ts';
import { profileTables } from './kernel/shares.ts';
import { type Heat, kernelTable } from './kernel/statistics.ts';
import { micro, microTable } from './micro.ts';
import { newCode, newCodeTable } from './new-code.ts';
import { page } from './page.ts';
import { paper } from './paper/main.ts';
import { ALLOWED_MIB, readers, readersTable } from './readers.ts';
import { restore, restoreTable } from './restore.ts';
import { smp, smpTables } from './smp.ts';
import { PEERS, type Peer, parseVariant } from './subjects.ts';
import { translateBench, translateTable } from './translate.ts';

// Each run starts cold.
process.env.DRAGOMAN_CODE_CACHE = 'off';

/** As many as Dragoman and QEMU have. */
const MOST_CPUS = 64;
const SECTIONS = ['micro', 'translate', 'boot', 'restore', 'kernel', 'memory', 'smp', 'cliffs', 'new-code', 'clients', 'readers'] as const;
type Section = (typeof SECTIONS)[number];

const USAGE = `npm run bench -- [micro] [translate] [boot] [restore] [kernel] [memory] [smp] [cliffs] [new-code] [clients] [readers] [options]      (all where none is named)
  --runs N         rounds (default: 5 for micro and translate, 3 for boot, restore, kernel, smp, cliffs, new-code and clients, 1 for memory)
  --only TEXT      micro: only programs whose name contains TEXT; boot: only machines whose name does; kernel: only rows with one of such texts, apart by commas; smp: only such work, and no costs; clients: only such rows
  --cold, --warm   kernel: only the rows for a moment each in a machine that has just booted, or only for seconds each (default: both; cold where no section is named)
  --seconds S      kernel: of each row (default: 0.3 cold, 6 warm, 20 for a profile)
  --profile ROW    kernel: where the time of a row goes on Dragoman when it is warm, instead of its figures
  --interpreter    boot: the interpreter alone as well, once
  --unpinned       smp: CPUs on whichever core the host gives them
  --beside TEXT    boot, restore, kernel and new-code: another Dragoman in turn with this one: FOLDER of a checkout (this one: .) and options of dragoman run; may be given again
  --peers LIST     boot, kernel, cliffs and new-code: which of v86 and qemu (default: both; none); new-code has qemu alone
  --cpus N         boot: CPUs of QEMU's guest (default: 1, as the others); kernel: of all machines that can have more; clients: of each
  --client WORD    clients: one of those that are measured, as for dragoman run; may be given again (default: all that there are)
  --minutes N      readers: how long (default: 5)
  --json FILE      the figures for programs
npm run bench -- page [--runs N] [--mbit N]      the demo page in Chromium, and nothing else
npm run bench -- code-map [--regions N] [--runs N]      a drawing of its code map, and nothing else
`;

function usage(message: string): never {
  process.stderr.write(`bench: ${message}\n${USAGE}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        runs: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'string' },
        cpus: { type: 'string' },
        beside: { type: 'string', multiple: true },
        peers: { type: 'string' },
        client: { type: 'string', multiple: true },
        minutes: { type: 'string' },
        seconds: { type: 'string' },
        profile: { type: 'string' },
        cold: { type: 'boolean' },
        warm: { type: 'boolean' },
        interpreter: { type: 'boolean' },
        unpinned: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

const number = (text: string | undefined, name: string): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  return Number.isInteger(value) && value > 0 && value <= 1000 ? value : usage(`${name} '${text}' is not a number from 1 to 1000`);
};

/** Those that take options of their own, and nothing beside them. */
const ALONE: Readonly<Record<string, (args: string[]) => Promise<void>>> = { page, paper, 'code-map': codeMap };
const alone = ALONE[process.argv[2] ?? ''];
if (alone !== undefined) {
  await alone(process.argv.slice(3));
  process.exit();
}
const { values, positionals } = readArguments();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
for (const name of positionals) if (!SECTIONS.includes(name as Section)) usage(`unknown section '${name}'`);
const sections = new Set<Section>(positionals.length === 0 ? SECTIONS : (positionals as Section[]));
if (values.profile !== undefined && !ROWS.some(({ name }) => name === values.profile))
  usage(`--profile '${values.profile}' is no row: ${ROWS.map(({ name }) => name).join(', ')}`);
if (values.profile !== undefined && positionals.length === 0) sections.clear();
if (values.profile !== undefined) sections.add('kernel');
const runs = number(values.runs, '--runs');
const cpuCount = number(values.cpus, '--cpus') ?? 1;
if (cpuCount > MOST_CPUS) usage(`--cpus: ${cpuCount} are more than ${MOST_CPUS}`);
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
if (seconds !== undefined && !(seconds >= 0.01 && seconds <= 600)) usage(`--seconds '${values.seconds}' is not a number from 0.01 to 600`);
const minutes = number(values.minutes, '--minutes') ?? 5;

const variants = (values.beside ?? []).map(parseVariant);
const peers = (values.peers ?? PEERS.join()).split(',').filter((name) => name !== 'none') as Peer[];
for (const name of peers) if (!PEERS.includes(name)) usage(`--peers: '${name}' is none of ${PEERS.join(', ')}, none`);

await build({ wasmOnly: true });
const host = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length, loadBefore: loadavg()[0], loadAfter: 0 };
const report: Record<string, unknown> = { date: new Date().toISOString(), host };
const print = (table: Table) => process.stdout.write(`\n${formatTable(table)}`);

if (sections.has('micro')) {
  const rounds = runs ?? 5;
  const result = await micro(rounds, values.only);
  report.micro = { rounds, ...result };
  print(microTable(result, rounds));
}
if (sections.has('translate')) {
  const rounds = runs ?? 5;
  const result = await translateBench(rounds);
  report.translate = { rounds, ...result };
  print(translateTable(result, rounds));
}
if (sections.has('boot')) {
  const rounds = runs ?? 3;
  const result = await boot({ rounds, only: values.only, interpreter: values.interpreter === true, peers, variants, qemuCpus: cpuCount });
  report.boot = { rounds, ...result };
  print(bootTable(result, rounds));
}
if (sections.has('restore')) {
  const rounds = runs ?? 3;
  const result = await restore(rounds, variants);
  report.restore = { rounds, rows: result };
  print(restoreTable(result, rounds));
}
if (sections.has('kernel') && values.profile !== undefined) {
  const result = await profile(values.profile, seconds);
  report.profile = result;
  for (const table of profileTables(result)) print(table);
} else if (sections.has('kernel')) {
  const rounds = runs ?? 3;
  const both = values.cold === values.warm;
  const heats: Heat[] = both ? (positionals.length === 0 ? ['cold'] : ['cold', 'warm']) : [values.cold ? 'cold' : 'warm'];
  const results = [];
  for (const heat of heats) {
    const result = await kernel({ heat, rounds, seconds, only: values.only, cpus: cpuCount, peers, variants });
    results.push(result);
    print(kernelTable(result));
  }
  report.kernel = results;
}
if (sections.has('memory')) {
  const rounds = runs ?? 1;
  const result = await memory(rounds);
  report.memory = { rounds, ...result };
  print(memoryTable(result));
}
if (sections.has('smp')) {
  const rounds = runs ?? 3;
  const result = await smp(rounds, values.only, values.unpinned !== true);
  report.smp = { rounds, ...result };
  for (const table of smpTables(result, rounds)) print(table);
}
if (sections.has('cliffs')) {
  const rounds = runs ?? 3;
  const result = await cliffs(rounds, peers);
  report.cliffs = { rounds, ...result };
  print(cliffsTable(result, rounds));
}
if (sections.has('new-code')) {
  const rounds = runs ?? 3;
  const result = await newCode(rounds, { peers, variants });
  report.newCode = { rounds, ...result };
  print(newCodeTable(result, rounds));
}
if (sections.has('clients')) {
  const rounds = runs ?? 3;
  const clients = values.client ?? ALL_CLIENTS;
  const rows = await clientCosts(clients, rounds, values.only, cpuCount);
  report.clients = { rounds, rows };
  print(clientsTable(rows, clients, rounds));
}
if (sections.has('readers')) {
  const result = await readers(minutes);
  report.readers = { minutes, rows: result };
  print(readersTable(result, minutes));
  if (result.some((row) => row.highestMiB - row.startMiB > ALLOWED_MIB)) process.exitCode = 1;
}

host.loadAfter = loadavg()[0];
process.stdout.write(
  `\n${host.cpus} CPUs (${host.cpu}), Node ${host.node}; load average ${host.loadBefore.toFixed(1)} before, ${host.loadAfter.toFixed(1)} after\n`,
);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
