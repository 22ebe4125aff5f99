import { stringify } from 'yaml';

export const outputFormats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null;
}

/** Prints rows as a table for people, or all of `data` for programs. */
export function printRows<Row>(
  format: OutputFormat,
  data: unknown,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): void {
  if (format === 'table') print(table(rows, columns));
  else printData(format, data);
}

export function printData(format: Exclude<OutputFormat, 'table'>, data: unknown): void {
  print(format === 'json' ? JSON.stringify(data, null, 2) : stringify(data).trimEnd());
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(String(column.value(row) ?? '-'))));
  const all = [columns.map((column) => column.title.toUpperCase()), ...cells];
  const widths = columns.map((_, index) => Math.max(...all.map((line) => line[index]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Titles and messages are outsiders' texts: no control character reaches the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, 120);
}
