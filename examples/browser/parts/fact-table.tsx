// A table of names and values, which change while they are looked at.
import type { ComponentChildren } from 'preact';
import { DataTable } from './data-table.tsx';
import './fact-table.css';

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

export const FactTable = ({ caption, facts }: { readonly caption: string; readonly facts: readonly Fact[] }) => (
  <DataTable class="fact-table" caption={caption} rows={facts.map(({ name, value }) => ({ key: name, cells: [name, value] }))} />
);
