/** One measured figure. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What was aimed for, and whether it was met; left out for a figure that is only told. */
  readonly goal?: { readonly text: string; readonly met: boolean };
}

export interface Bench {
  readonly name: string;
  run(): Promise<readonly Figure[]>;
}

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export function atMost(what: string, value: number, unit: string, limit: number): Figure {
  return { what, value, unit, goal: { text: `≤ ${number.format(limit)}`, met: value <= limit } };
}

export function atLeast(what: string, value: number, unit: string, limit: number): Figure {
  return { what, value, unit, goal: { text: `≥ ${number.format(limit)}`, met: value >= limit } };
}

export function exactly(what: string, value: number, unit: string, wanted: number): Figure {
  return { what, value, unit, goal: { text: `= ${number.format(wanted)}`, met: value === wanted } };
}

/** A table row of at most 140 columns. */
export function rowOf({ what, value, unit, goal }: Figure): string {
  const verdict = goal === undefined ? '' : goal.met ? 'met' : 'MISSED';
  return `  ${what.padEnd(78)} ${number.format(value).padStart(12)} ${unit.padEnd(14)} ${(goal?.text ?? '').padEnd(12)} ${verdict}`.trimEnd();
}
