// Instructions in memory, each with a switch for a breakpoint.
import type { CodeLine } from '../app/debugger.ts';

interface Props {
  readonly lines: readonly CodeLine[];
  readonly onToggle: (line: CodeLine) => void;
}

const Line = ({ line, onToggle }: { readonly line: CodeLine; readonly onToggle: () => void }) => {
  const address = line.address.toString(16).padStart(8, '0');
  return (
    <tr class={line.isNext ? 'next' : ''} aria-current={line.isNext ? 'step' : undefined}>
      <td>
        <button
          type="button"
          class="point"
          aria-pressed={line.point !== undefined}
          aria-label={`Breakpoint at ${address}`}
          onClick={onToggle}
        />
      </td>
      <th scope="row">
        <code>{address}</code>
      </th>
      <td class="name">{line.symbol}</td>
      <td class="bytes">
        <code>{line.bytes}</code>
      </td>
      <td>
        <code>{line.text}</code> {line.about !== undefined && <span class="muted">{line.about}</span>}
      </td>
    </tr>
  );
};

export const CodeListing = ({ lines, onToggle }: Props) => (
  <table class="code-listing">
    <thead class="for-readers">
      <tr>
        <th scope="col">Breakpoint</th>
        <th scope="col">Address</th>
        <th scope="col">Name</th>
        <th scope="col">Bytes</th>
        <th scope="col">Instruction</th>
      </tr>
    </thead>
    <tbody>
      {lines.map((line) => (
        <Line key={line.address} line={line} onToggle={() => onToggle(line)} />
      ))}
    </tbody>
  </table>
);
