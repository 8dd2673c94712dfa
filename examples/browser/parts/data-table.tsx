// A table of a panel: its first column names the rows, the others stand to the right, as numbers do.
import type { ComponentChildren } from 'preact';
import './data-table.css';

export interface DataRow {
  readonly key: string | number;
  /** One for each column. */
  readonly cells: readonly ComponentChildren[];
  readonly isChosen?: boolean;
}

interface Props {
  readonly caption: ComponentChildren;
  /** What is above says it already: the caption is for screen readers alone. */
  readonly hasHiddenCaption?: boolean;
  /** Of the columns; '': the one that needs none. Default: names and values, which need none at all. */
  readonly head?: readonly ComponentChildren[];
  readonly rows: readonly DataRow[];
  /** Of the table, for styles of its own. */
  readonly class?: string;
}

export function DataTable({ caption, hasHiddenCaption = false, head, rows, class: own = '' }: Props) {
  return (
    <table class={`data-table ${own}`}>
      <caption class={hasHiddenCaption ? 'for-readers' : undefined}>{caption}</caption>
      {head !== undefined && (
        <thead>
          <tr>
            {head.map((title, column) =>
              title === '' ? (
                <td key={column} />
              ) : (
                <th key={column} scope="col">
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
      )}
      <tbody>
        {rows.map(({ key, cells: [name, ...values], isChosen }) => (
          <tr key={key} class={isChosen ? 'chosen' : undefined}>
            <th scope="row">{name}</th>
            {values.map((value, column) => (
              <td key={column}>{value}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
