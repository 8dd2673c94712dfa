// How much memory one CPU uses and how much several do, as the client sharing has it: the table of the paper.
import type { SharingReport } from '../../../src/api/exports/clients.ts';
import { asBytes } from './numbers.ts';
import './sharing-table.css';

const ROWS = [
  ['kernel', 'The kernel'],
  ['user', 'Programs'],
  ['all', 'All'],
] as const;

export function SharingTable({ report }: { readonly report: SharingReport }) {
  return (
    <table class="sharing-table">
      <caption>Memory by who uses it, in pieces of {report.granule} bytes</caption>
      <thead>
        <tr>
          <th scope="col">used by</th>
          <th scope="col">one CPU, read</th>
          <th scope="col">one CPU, written</th>
          <th scope="col">several, read</th>
          <th scope="col">several, written</th>
        </tr>
      </thead>
      <tbody>
        {ROWS.map(([level, name]) => (
          <tr key={level}>
            <th scope="row">{name}</th>
            {(['private', 'shared'] as const).flatMap((who) =>
              (['readOnly', 'readWrite'] as const).map((how) => <td key={`${who} ${how}`}>{asBytes(report[level][who][how])}</td>),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
