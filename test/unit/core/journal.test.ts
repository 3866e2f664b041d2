import { describe, expect, it } from 'vitest';
import { createJournal } from '../../../local/core/journal.ts';

const entry = {
  at: '2026-01-01T00:00:00.000Z',
  principal: 'arn:aws:iam::111122223333:user/admin',
  tags: {},
  action: 'sts:AssumeRole',
  resource: '*',
  decision: 'allow',
  statement: 'Own/#0',
  requestId: 'r',
  service: 'sts',
  operation: 'AssumeRole',
} as const;

describe('the journal', () => {
  it('numbers entries from 1 and answers those after a given number', () => {
    const journal = createJournal();
    for (let count = 0; count < 5; count += 1) journal.record(entry);
    expect(journal.since().map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(journal.since(3).map(({ seq }) => seq)).toEqual([4, 5]);
    expect(journal.since(5)).toEqual([]);
    expect(journal.lastSeq).toBe(5);
  });

  it('keeps only the last entries', () => {
    const journal = createJournal(10);
    for (let count = 0; count < 37; count += 1) journal.record(entry);
    expect(journal.since().map(({ seq }) => seq)).toEqual([28, 29, 30, 31, 32, 33, 34, 35, 36, 37]);
    expect(journal.since(35).map(({ seq }) => seq)).toEqual([36, 37]);
  });

  it('goes on counting after it was cleared', () => {
    const journal = createJournal();
    journal.record(entry);
    journal.clear();
    expect(journal.since()).toEqual([]);
    expect(journal.record(entry).seq).toBe(2);
    expect(journal.since(1).map(({ seq }) => seq)).toEqual([2]);
  });
});
