import { describe, expect, it } from 'vitest';
import { createRequestLimit } from '../../../local/world/request-limit.ts';

function setUp(how: Parameters<typeof createRequestLimit>[1] = () => ({})) {
  const time = { now: 0 };
  const clock = { now: () => time.now };
  const ask = createRequestLimit(clock, how);
  const remaining = (project: string): string | undefined => ask(project)?.['x-ratelimit-remaining-requests'];
  return { time, remaining };
}

describe('the simulated provider’s limit of requests', () => {
  it('counts each project by itself and refuses nobody, unless told to', () => {
    const { remaining } = setUp();
    expect([remaining('a'), remaining('a'), remaining('b')]).toEqual(['59', '58', '59']);
    for (let call = 0; call < 100; call += 1) remaining('a');
    expect([remaining('a'), remaining('b')]).toEqual(['0', '58']);
  });

  it('refuses a project that has used up its own, until it has refilled', () => {
    const { remaining, time } = setUp(() => ({ requestsPerMinute: 2 }));
    expect([remaining('a'), remaining('a'), remaining('a'), remaining('b')]).toEqual(['1', '0', undefined, '1']);
    time.now += 29_999;
    expect(remaining('a')).toBeUndefined();
    time.now += 1;
    expect([remaining('a'), remaining('a')]).toEqual(['0', undefined]);
  });

  it('refuses every project when the limit is the organization’s', () => {
    const { remaining } = setUp(() => ({ requestsPerMinute: 2, limitOf: 'organization' }));
    expect([remaining('a'), remaining('a'), remaining('b')]).toEqual(['1', '0', undefined]);
  });
});
