import { describe, expect, it } from 'vitest';
import { createFaultTable } from '../../../local/core/faults.ts';

const fault = { service: 'sts', action: 'AssumeRole', nth: 1, mode: 'before' } as const;

describe('the table of faults', () => {
  it('hits the n-th matching call from when it was set, once', () => {
    const faults = createFaultTable();
    faults.match('sts', 'AssumeRole');
    faults.add({ ...fault, nth: 3 });
    const hits = [1, 2, 3, 4, 5, 6].map(() => faults.match('sts', 'AssumeRole')?.mode);
    expect(hits).toEqual([undefined, undefined, 'before', undefined, undefined, undefined]);
    expect(faults.list()).toEqual([]);
  });

  it('does not count calls of other services or operations', () => {
    const faults = createFaultTable();
    faults.add({ ...fault, nth: 2 });
    expect(faults.match('sts', 'GetCallerIdentity')).toBeUndefined();
    expect(faults.match('iam', 'AssumeRole')).toBeUndefined();
    expect(faults.match('sts', 'AssumeRole')).toBeUndefined();
    expect(faults.match('sts', 'AssumeRole')).toMatchObject({ mode: 'before' });
  });

  it('lets the second of two faults due together hit the call after', () => {
    const faults = createFaultTable();
    faults.add(fault);
    faults.add({ ...fault, mode: 'after' });
    expect([1, 2, 3].map(() => faults.match('sts', 'AssumeRole')?.mode)).toEqual(['before', 'after', undefined]);
  });

  it('removes those that have all the given properties, and none for properties nothing has', () => {
    const faults = createFaultTable();
    faults.add(fault);
    faults.add({ ...fault, mode: 'after' });
    faults.add({ ...fault, service: 'openai', action: 'CreateKey' });
    expect(faults.remove({ service: 'sts', mode: 'crash' })).toBe(0);
    expect(faults.remove({ service: 'sts' })).toBe(2);
    expect(faults.list().map(({ service }) => service)).toEqual(['openai']);
    faults.clear();
    expect(faults.list()).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses nth %s', (nth) => {
    expect(() => createFaultTable().add({ ...fault, nth })).toThrow(RangeError);
  });
});
