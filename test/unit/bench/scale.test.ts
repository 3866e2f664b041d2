import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tables, withTables } from '../../../bench/scale.ts';
import { ours, profiles, quotas } from '../../../bench/scale-assumptions.ts';
import { readMeasured } from '../../../bench/scale-measured.ts';
import { ceilings, dedicatedTenants, limitsOf, writeUnitsPerUse } from '../../../bench/scale-sums.ts';

const measured = readMeasured();
const [seldom = profiles[0], , heavy] = profiles;

describe('P7 docs/scale.md', () => {
  const text = readFileSync('docs/scale.md', 'utf8');

  it('says what the sums say', () => {
    expect(withTables(text, tables(measured))).toBe(text);
  });

  it('has no table that is not computed', () => {
    const computed = text
      .split('<!-- computed: ')
      .slice(1)
      .map((part) => part.slice(part.indexOf('\n'), part.indexOf('<!-- end -->')));
    expect(text.match(/^\|/gm)?.length).toBe(computed.join('').match(/^\|/gm)?.length);
  });

  it('is refused when a table has no place in it', () => {
    expect(() => withTables(text.replace('<!-- computed: cells -->', ''), tables(measured))).toThrow('no place for the table cells');
  });
});

describe('P7 the sums', () => {
  it('rest on what the broker does: one read and two inserts of a warm use', () => {
    const { warmUse } = measured.calls;
    expect(warmUse['dynamodb BatchGetItem']).toBe(1);
    expect(warmUse['dynamodb ExecuteStatement']).toBe(2);
    expect(Object.keys(warmUse).filter((name) => !/^(dynamodb|lambda) /.test(name))).toEqual([]);
  });

  it('find the smallest quota first, and a raised one out of the way', () => {
    if (seldom === undefined || heavy === undefined) throw new Error('there are three profiles');
    const at = (concurrency: number) => limitsOf(seldom, concurrency, measured)[0];
    expect(at(1_000)).toMatchObject({ what: 'environments of tenants', adjustable: true });
    expect(at(10_000)?.tenants).toBeGreaterThan(9 * (at(1_000)?.tenants ?? 0));
    // However much concurrency there is, secrets stay.
    expect(at(10_000_000)).toMatchObject({ what: 'secrets', tenants: quotas.secrets.value });
    expect(limitsOf(heavy, 10_000_000, measured)[0]?.adjustable).toBe(true);
  });

  it('count each entry once more for each index', () => {
    expect(writeUnitsPerUse(measured)).toBe(2 * (1 + ours.attributionIndexes));
    expect(writeUnitsPerUse({ ...measured, bytes: { ...measured.bytes, useEntries: 2 * 1025 } })).toBe(4 * (1 + ours.attributionIndexes));
    expect(ceilings(measured).usesPerSecond).toBe(Math.floor(1_000 / writeUnitsPerUse(measured)));
  });

  it('give a dedicated tenant two roles', () => {
    expect(dedicatedTenants(quotas.roles.value)).toBe((1_000 - ours.otherRoles) / 2);
  });
});
