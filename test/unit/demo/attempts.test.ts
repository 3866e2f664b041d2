import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { readAttempts } from '../../../local/demo/attempts.ts';
import { tableLines } from '../../../local/demo/table.ts';

const directory = mkdtempSync(join(tmpdir(), 'cordon-attempts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(content: unknown): string {
  const path = join(directory, 'attempts.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const attempt = { who: 'acme', tries: 'read', on: 'acme', call: 'secretsmanager:GetSecretValue', input: {}, expect: 'denied' };

describe('the attempts of the demonstration', () => {
  it('tries both what is allowed and what is refused, by everybody', () => {
    const attempts = readAttempts('examples/two-tenants/attempts.json');
    expect(new Set(attempts.map((each) => each.expect))).toEqual(new Set(['allowed', 'denied']));
    const everybody = [
      'acme',
      'acme/ana',
      'acme/ben',
      'acme-2',
      'function sessions',
      'function tenants',
      'operator',
      'auditor of acme',
      'writer of acme',
    ];
    expect(new Set(attempts.map((each) => each.who))).toEqual(new Set(everybody));
  });

  it('refuses a call it cannot make, and a misspelt member', () => {
    expect(() => readAttempts(write([{ ...attempt, call: 'secretsmanager:Nothing' }]))).toThrow(/not a call/);
    expect(() => readAttempts(write([{ ...attempt, expected: 'denied' }]))).toThrow(/expected/);
    expect(() => readAttempts(write([]))).toThrow();
  });
});

describe('the table', () => {
  it('is never wider than its columns, whatever a cell holds', () => {
    const columns = [
      { title: 'who', width: 5 },
      { title: 'what', width: 8 },
    ];
    const lines = tableLines(columns, [{ cells: ['a', 'x'.repeat(50)] }, { cells: ['much too long', ''] }]);
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(16);
    expect(lines[2]).toContain('xxxxxxx…');
  });
});
