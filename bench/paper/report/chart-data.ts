// What the report's page draws: as JSON in the page, made by charts.ts, drawn by page/.

export interface Series {
  readonly name: string;
  /** Which of the page's colours: 0 and up; the same thing has the same one in all charts of a kind. */
  readonly colour: number;
  /** As many as there are labels; null: there is none. */
  readonly values: readonly (number | null)[];
  /** What a pointer over a value is told. */
  readonly texts: readonly string[];
  /** No measurement: what could be had at best. */
  readonly ideal?: boolean;
}

export interface ChartData {
  /** Bars lie, and begin at 1. */
  readonly kind: 'bars' | 'lines';
  /** A line break where there is to be one. */
  readonly labels: readonly string[];
  /** Labels of sums over the others. */
  readonly strong: readonly number[];
  readonly series: readonly Series[];
  /** Of values, and of lines' labels. */
  readonly axis: string;
  readonly across: string;
  readonly log: boolean;
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What it shows, in sentences: for those who do not see it, and below it. */
  readonly finding: readonly string[];
  readonly data: ChartData;
}
