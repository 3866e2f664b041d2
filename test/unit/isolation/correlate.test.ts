import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyThrottledMessage } from '../../../functions/isolation/limits/apply-throttled-message.ts';
import { crowd } from '../../../functions/isolation/limits/correlate.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { createMemoryLog } from '../../contracts/fakes/memory-log.ts';
import { createMemoryTellings, createMemoryThrottlings } from '../../contracts/fakes/memory-throttlings.ts';

const start = Date.parse('2026-11-22T10:00:00.500Z');
const accountId = '111122223333';
/** When a limit that two share is used up: nothing about it keeps time. In milliseconds. */
const moments = [60_000, 558_000, 1_362_000, 1_872_000, 3_174_000];

interface Sent {
  readonly tenantId: string;
  readonly at: number;
  readonly provider?: string;
  readonly credentialId?: string;
}

function setUp() {
  const state = { now: start, fails: (_what: string): void => undefined };
  const clock = (): number => state.now;
  const [log, throttlings, tellings] = [createMemoryLog(), createMemoryThrottlings(), createMemoryTellings(clock)];
  const announced: { type: string; detail: unknown }[] = [];
  const aside: { code: string }[] = [];
  const deps = {
    ...{ clock, log, maxReceiveCount: 10, random: () => 0, platformAccountId: accountId },
    throttlings: {
      ...throttlings,
      async keep(one: Parameters<typeof throttlings.keep>[0]) {
        state.fails('keep');
        await throttlings.keep(one);
      },
      ofAll(...args: Parameters<typeof throttlings.ofAll>) {
        state.fails('ofAll');
        return throttlings.ofAll(...args);
      },
    },
    tellings: {
      ...tellings,
      async told(...args: Parameters<typeof tellings.told>) {
        state.fails('told');
        await tellings.told(...args);
      },
    },
    announcer: {
      async announce(type: string, detail: object) {
        state.fails('announce');
        announced.push({ type, detail });
      },
    },
    inbox: { delay: async () => undefined, putAside: async (_body: string, reason: { code: string }) => void aside.push(reason) },
  };
  const bodyOf = (detail: unknown, id: string, over: object = {}): string =>
    JSON.stringify({
      ...{ version: '0', id, 'detail-type': 'ProviderThrottled', source: 'cordon', account: accountId },
      ...{ time: new Date(state.now).toISOString().replace(/\.\d+/, ''), region: 'us-east-1', detail },
      ...over,
    });
  const receive = (body: string, receiveCount = 1): Promise<void> =>
    applyThrottledMessage(deps, { body, receiptHandle: 'h', receiveCount }, state.now + 30_000);
  const throttle = ({ tenantId, at, provider = 'openai', credentialId = 'main' }: Sent, id = `${tenantId}-${at}`): Promise<void> =>
    receive(bodyOf({ version: 1, tenantId, credentialId, provider, at: new Date(start + at).toISOString() }, id));
  const findings = () => announced.filter(({ type }) => type === 'IsolationViolationDetected').map(({ detail }) => detail);
  return { state, log, announced, aside, bodyOf, receive, throttle, findings };
}

/** Each time that the limit is used up, both are throttled. */
const shared = (first = 'acme', second = 'globex'): Sent[] =>
  moments.flatMap((at) => [
    { tenantId: first, at },
    { tenantId: second, at: at + 3000 },
  ]);
const concerned = (findings: readonly unknown[]): unknown[] =>
  findings.map((finding) => (typeof finding === 'object' && finding !== null && 'tenantId' in finding ? finding.tenantId : undefined));

describe('T4 the correlation', () => {
  it('says nothing of a tenant alone, of one limit at two providers, nor of two that are throttled at other times', async () => {
    const world = setUp();
    for (const at of moments) {
      await world.throttle({ tenantId: 'acme', at });
      await world.throttle({ tenantId: 'globex', at, provider: 'anthropic' });
      await world.throttle({ tenantId: 'initech', at: at + 5001 });
    }
    expect(world.announced).toEqual([]);
  });

  it('tells of two that are throttled together time after time: each of itself, and nobody of the other', async () => {
    const world = setUp();
    for (const one of shared()) await world.throttle(one);
    expect(world.findings()).toHaveLength(2);
    expect(concerned(world.findings()).toSorted()).toEqual(['acme', 'globex']);
    for (const [tenant, other] of [
      ['acme', 'globex'],
      ['globex', 'acme'],
    ]) {
      const [own] = world.findings().filter((finding) => concerned([finding])[0] === tenant);
      expect(own).toMatchObject({
        version: 1,
        event: { detailType: 'ProviderThrottled' },
        reason: { code: 'SHARED_RATE_LIMIT' },
        left: [],
      });
      // The ID of the event is EventBridge's own, and says nothing; here it was made of a name.
      expect(JSON.stringify({ ...Object(own), event: {} })).not.toContain(other);
    }
  });

  it('tells operators which two, by which credentials, in its log', async () => {
    const world = setUp();
    for (const one of shared()) await world.throttle({ ...one, credentialId: `${one.tenantId}-key` });
    const [line, ...rest] = world.log.lines.filter(({ level }) => level === 'warn');
    expect(rest).toEqual([]);
    expect(line?.fields).toMatchObject({ provider: 'openai', tenantIds: 'acme globex', together: 4, ofOne: 4, ofOther: 4 });
    expect(line?.fields).toMatchObject({ credentialIds: 'acme-key globex-key' });
  });

  it('tells it once a day, and again on the next', async () => {
    const world = setUp();
    const day = 86_400_000;
    for (const one of shared()) await world.throttle(one);
    for (const one of shared()) await world.throttle({ ...one, at: one.at + 2 * 3_600_000 });
    expect(world.findings()).toHaveLength(2);
    for (const one of shared()) await world.throttle({ ...one, at: one.at + day });
    expect(world.findings()).toHaveLength(4);
  });

  it('says nothing when the provider throttles everybody, time after time', async () => {
    const world = setUp();
    const tenants = Array.from({ length: crowd + 1 }, (_, index) => `tenant-${index}`);
    for (const at of moments) for (const [index, tenantId] of tenants.entries()) await world.throttle({ tenantId, at: at + index * 500 });
    expect(world.announced).toEqual([]);
    expect(world.log.lines.filter(({ message }) => message.includes('many tenants'))[0]?.fields).toMatchObject({ tenants: crowd + 1 });
  });

  it('tells of two also when the provider throttled everybody in between', async () => {
    const world = setUp();
    for (const one of shared()) await world.throttle(one);
    expect(world.findings()).toHaveLength(2);
    const other = setUp();
    const all = [...shared(), ...Array.from({ length: 6 }, (_, index) => ({ tenantId: `tenant-${index}`, at: 2_500_000 + index * 100 }))];
    for (const one of all.toSorted((a, b) => a.at - b.at)) await other.throttle(one);
    expect(concerned(other.findings()).toSorted()).toEqual(['acme', 'globex']);
  });

  it('asks for others once in a bad moment, however long it goes on', async () => {
    const world = setUp();
    let asked = 0;
    world.state.fails = (what) => {
      if (what === 'ofAll') asked += 1;
    };
    for (let at = 0; at < 600_000; at += 5000) await world.throttle({ tenantId: 'acme', at });
    expect(asked).toBe(1);
  });

  it('comes to the same however the events are ordered and repeated, and tells no more than once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...shared(), ...shared()], { minLength: 20 }), async (events) => {
        const world = setUp();
        for (const one of events) await world.throttle(one);
        expect(concerned(world.findings()).toSorted()).toEqual(['acme', 'globex']);
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it.each([
    ['keep', 1],
    ['keep', 9],
    ['announce', 1],
    ['announce', 2],
    ['told', 1],
  ])('tells it all the same when a run dies at "%s", time %i, by the repetition of its event', async (point, nth) => {
    const world = setUp();
    let times = 0;
    world.state.fails = (what) => {
      if (what === point) times += 1;
      if (what === point && times === nth) throw new CordonError('AWS_UNAVAILABLE', 'down', { retryable: true });
    };
    for (const one of shared()) await world.throttle(one).catch(() => world.throttle(one));
    expect(new Set(concerned(world.findings()))).toEqual(new Set(['acme', 'globex']));
    expect(times).toBeGreaterThan(nth);
  });

  it('says nothing in hours of a busy clean cell', async () => {
    const anything = fc.record({ at: fc.integer({ min: 0, max: 8 * 3_600_000 }), tenant: fc.integer({ min: 1, max: 25 }) });
    const world = setUp();
    for (const { at, tenant } of fc.sample(fc.noBias(anything), { seed: 4, numRuns: 3000 }).toSorted((a, b) => a.at - b.at))
      await world.throttle({ tenantId: `tenant-${tenant}`, at });
    expect(world.announced).toEqual([]);
  });
});

describe('T4 what the correlation is sent', () => {
  const detail = { version: 1, tenantId: 'acme', credentialId: 'main', provider: 'openai', at: '2026-11-22T10:00:00.500Z' };
  it.each<[string, (world: ReturnType<typeof setUp>) => string]>([
    ['no JSON', () => 'x'],
    ['an event of the platform’s', ({ bodyOf }) => bodyOf(detail, 'e', { source: 'cordon.platform' })],
    ['an event of another account', ({ bodyOf }) => bodyOf(detail, 'e', { account: '999999999999' })],
    ['another type', ({ bodyOf }) => bodyOf(detail, 'e', { 'detail-type': 'TenantOnboarded' })],
    ['a tenant that cannot be', ({ bodyOf }) => bodyOf({ ...detail, tenantId: 'Acme' }, 'e')],
    ['a member that is not known', ({ bodyOf }) => bodyOf({ ...detail, otherTenantId: 'globex' }, 'e')],
  ])('is put aside with the reason when it is %s', async (_what, body) => {
    const world = setUp();
    await world.receive(body(world));
    expect(world.aside).toMatchObject([{ code: 'EVENT_INVALID' }]);
    expect(world.announced).toMatchObject([{ type: 'EventHandlingFailed' }]);
  });
});
