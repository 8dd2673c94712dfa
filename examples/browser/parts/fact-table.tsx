// A table of names and values, which change while they are looked at.
import type { ComponentChildren } from 'preact';
import './fact-table.css';

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

export function FactTable({ caption, facts }: { readonly caption: string; readonly facts: readonly Fact[] }) {
  return (
    <table class="fact-table">
      <caption>{caption}</caption>
      <tbody>
        {facts.map(({ name, value }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
