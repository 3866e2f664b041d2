import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type CutOffEntry, endOf } from './cut-off-entry.ts';

/** All entries lie under one key: one query, strongly consistent, reads all there are. They are few, and live for an hour. */
export const partition = 'CUT_OFF';
const dayMs = 86_400_000;

/** The end comes first: what is over is not read again, however late the table's own expiry removes it. */
export function keyOf(entry: Pick<CutOffEntry, 'id' | 'before'>): { pk: AttributeValue; sk: AttributeValue } {
  return { pk: { S: partition }, sk: { S: `${sortableOf(endOf(entry))}#${entry.id}` } };
}

/** Milliseconds since the epoch as text that sorts by time. */
export function sortableOf(ms: number): string {
  return String(ms).padStart(15, '0');
}

/** When DynamoDB may remove it, in seconds since the epoch: a day later, so that whoever asked can still read what became of it. */
export function ttlOf(entry: Pick<CutOffEntry, 'before'>): number {
  return Math.ceil((endOf(entry) + dayMs) / 1000);
}
