import { plainText } from './plain-text.ts';

/**
 * Lines of a table, each column as wide as its widest cell. Hand-written for being smaller than the use of a library would be, and because every cell has to be
 * made plain first. IDs are never cut: they are there to be copied.
 */
export function tableLines(titles: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): readonly string[] {
  if (rows.length === 0) return ['Nothing.'];
  const cells = [titles, ...rows].map((row) => titles.map((_, at) => plainText(String(row[at] ?? '-'))));
  const widths = titles.map((_, at) => Math.max(...cells.map((row) => lengthOf(row[at] ?? ''))));
  return cells.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - lengthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

/** Lines `name  value`, without those that have no value. */
export function fieldLines(fields: Readonly<Record<string, string | number | undefined>>): readonly string[] {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...there.map(([name]) => name.length));
  return there.map(([name, value]) => `${name.padEnd(width)}  ${plainText(String(value))}`);
}

/** Characters as people count them. */
function lengthOf(text: string): number {
  return [...text].length;
}
