// How much memory one CPU uses and how much several do, as the client sharing has it: the table of the paper.
import type { SharingReport } from '../../../src/api/exports/clients.ts';
import { DataTable } from './data-table.tsx';
import { asBytes } from './numbers.ts';

const HEAD = ['used by', 'one CPU, read', 'one CPU, written', 'several, read', 'several, written'];
const LEVELS = [
  ['kernel', 'The kernel'],
  ['user', 'Programs'],
  ['all', 'All'],
] as const;

export function SharingTable({ report }: { readonly report: SharingReport }) {
  const rows = LEVELS.map(([level, name]) => {
    const { private: one, shared } = report[level];
    return { key: level, cells: [name, ...[one.readOnly, one.readWrite, shared.readOnly, shared.readWrite].map(asBytes)] };
  });
  return <DataTable caption={`Memory by who uses it, in pieces of ${report.granule} bytes`} head={HEAD} rows={rows} />;
}
