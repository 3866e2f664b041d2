import { describe, expect, it } from 'vitest';
import { beforeWork, createFaultTable } from '../../../local/core/faults.ts';

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

  it('tells faults apart by their code and status', () => {
    const faults = createFaultTable();
    faults.add({ ...fault, code: 'ThrottlingException' });
    faults.add({ ...fault, code: 'AccessDenied', status: 403 });
    expect(faults.remove({ code: 'Throttling' })).toBe(0);
    expect(faults.remove({ status: 403 })).toBe(1);
    expect(faults.list()).toMatchObject([{ code: 'ThrottlingException' }]);
  });

  it.each([200, 399, 600, Number.NaN])('refuses status %s', (status) => {
    expect(() => createFaultTable().add({ ...fault, status })).toThrow(RangeError);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses nth %s', (nth) => {
    expect(() => createFaultTable().add({ ...fault, nth })).toThrow(RangeError);
  });
});

describe('a fault before the work', () => {
  it.each([
    [{}, 'InternalFailure', 500],
    [{ status: 503 }, 'InternalFailure', 503],
    [{ code: 'ThrottlingException' }, 'ThrottlingException', 400],
    [{ code: 'RequestLimitExceeded', status: 503 }, 'RequestLimitExceeded', 503],
  ])('with %j is answered %s, %i', async (more, code, status) => {
    await expect(beforeWork({ ...fault, ...more })).rejects.toMatchObject({ code, status });
  });

  it('says "Rate exceeded" as AWS does when it throttles', async () => {
    await expect(beforeWork({ ...fault, code: 'Throttling' })).rejects.toThrow('Rate exceeded');
  });

  it('is none in another mode', async () => {
    await expect(beforeWork({ ...fault, mode: 'after', code: 'Throttling' })).resolves.toBeUndefined();
  });
});
