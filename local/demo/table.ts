import { styleText } from 'node:util';

export interface Column {
  readonly title: string;
  /** Characters at most; longer cells are cut with `…`. */
  readonly width: number;
}

/** Colours a text for a terminal; plain when the output is none or NO_COLOR is set (`styleText` looks at both). */
export function paint(style: 'green' | 'red' | 'bold' | 'dim' | 'yellow', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Lines of a table, no wider than the columns and ` | ` between them. `style` colours a whole row after it was padded. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly string[]; readonly style?: 'green' | 'red' | 'yellow' | undefined }[],
): string[] {
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width }, index) => cell(cells[index] ?? '', width))
      .join(' | ')
      .trimEnd();
  const rule = columns.map(({ width }) => '-'.repeat(width)).join('-|-');
  return [
    paint('bold', line(columns.map(({ title }) => title))),
    rule,
    ...rows.map(({ cells, style }) => (style === undefined ? line(cells) : paint(style, line(cells)))),
  ];
}

function cell(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
