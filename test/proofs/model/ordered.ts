import { comparisons } from '../../../local/iam/comparisons.ts';
import type { OtherTest } from './formula.ts';

/** A comparison of dates or numbers: the texts just before, at and after each bound are all that can be told apart. */
export function orderedTest(operator: string, value: string): OtherTest {
  if (!/^(Date|Numeric)/.test(operator)) throw new Error(`the operator ${operator} is not known to the proofs`);
  const compare = comparisons.get(operator)?.compare(value, true);
  return {
    key: `${operator} ${value}`,
    holds: (text) => compare?.(text, new Map()) === true,
    borders: [...around(value, operator.startsWith('Date')), 'neither'],
  };
}

function around(bound: string, isDate: boolean): string[] {
  if (!isDate) return [-1, 0, 1].map((by) => String(Number(bound) + by));
  const at = /^\d{5,}/.test(bound) ? Number(bound) * 1000 : Date.parse(bound);
  return [-1, 0, 1].map((by) => new Date(at + by * 1000).toISOString());
}
