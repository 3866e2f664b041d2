import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../../functions/isolation/check.ts';
import { services } from '../../../functions/isolation/check.ts';
import { declarationOf, type TenantFacts } from '../../../functions/isolation/declaration/declaration.ts';
import { type IsolationScore, type ScoredRun, scoreOf, validMs } from '../../../functions/isolation/declaration/score.ts';
import { tenantFactsOf } from '../../../functions/isolation/declaration/tenant-facts.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { everyCheck } from './every-check.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const acme = tenantId.parse('acme');
const openai = { credentialId: credentialId.parse('openai-main'), provider: 'openai', source: 'platform-issued' } as const;
const pool: TenantFacts = { tenantId: acme, tier: 'pool', accounts: ['openai'], credentials: [openai] };
const dedicated: TenantFacts = { ...pool, tier: 'dedicated' };

const runOf = (outcome: (check: Check) => Check['outcome'], hoursAgo = 1): ScoredRun => ({
  finishedAt: new Date(now - hoursAgo * 3_600_000).toISOString(),
  checks: everyCheck.map((check) => ({ ...check, outcome: outcome(check) })),
});
const clean = runOf(() => 'passed');
const score = (runs: readonly ScoredRun[], facts = pool, at = now): IsolationScore => scoreOf(declarationOf(facts), runs, at);
const serviceIn = ({ services: all }: IsolationScore, service: string) => all.find((one) => one.service === service);
const statusIn = (found: IsolationScore, id: string) =>
  found.services.flatMap(({ claims }) => claims).find((claim) => claim.id === id)?.status;

describe('T8 what is declared', () => {
  it.each([pool, dedicated])('names each service once, shared or per tenant, with a mechanism and a reason for each claim', (facts) => {
    const { services: declared } = declarationOf(facts);
    expect(declared.map(({ service }) => service)).toEqual([...services]);
    for (const { service, sharing, justification, claims } of declared) {
      expect(['shared', 'per-tenant']).toContain(sharing);
      expect(justification.length, service).toBeGreaterThan(20);
      expect(claims.length, service).toBeGreaterThan(0);
      for (const claim of claims) expect(claim.mechanism.length, claim.id).toBeGreaterThan(0);
    }
    const ids = declared.flatMap(({ claims }) => claims.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('rests on checks that are made, and on each that is', () => {
    const made = everyCheck.map(({ id }) => id);
    const named = [pool, dedicated].flatMap((facts) =>
      declarationOf(facts).services.flatMap(({ claims }) => claims.flatMap(({ checks }) => checks)),
    );
    expect([...new Set(named)].toSorted()).toEqual([...new Set(made)].toSorted());
    for (const { services: declared } of [pool, dedicated].map(declarationOf))
      for (const { service, claims } of declared)
        for (const id of claims.flatMap(({ checks }) => checks))
          expect(everyCheck.find((check) => check.id === id)?.service, id).toBe(service);
  });

  it('has for a dedicated tenant a key and roles of its own', () => {
    const sharing = (facts: TenantFacts) => Object.fromEntries(declarationOf(facts).services.map((one) => [one.service, one.sharing]));
    expect(sharing(pool)).toMatchObject({ vault: 'shared', keys: 'shared', sessions: 'shared', broker: 'per-tenant' });
    expect(sharing(dedicated)).toMatchObject({ vault: 'shared', keys: 'per-tenant', sessions: 'per-tenant', broker: 'per-tenant' });
  });

  it('says of each credential whose account at the provider it is in, and no more than Cordon knows', () => {
    const of = (
      source: TenantFacts['credentials'][number]['source'],
      provider: TenantFacts['credentials'][number]['provider'] = 'openai',
    ) => {
      const { credentials, services: declared } = declarationOf({ ...pool, credentials: [{ ...openai, source, provider }] });
      const { sharing } = declared.find(({ service }) => service === 'provider-accounts') ?? {};
      return [credentials[0]?.account, credentials[0]?.claim.checks.length, sharing];
    };
    expect(of('platform-issued')).toEqual(['own', 2, 'per-tenant']);
    expect(of('platform-issued', 'mistral')).toEqual(['not-made-yet', 0, 'shared']);
    expect(of('customer-supplied')).toEqual(['customers', 0, 'per-tenant']);
    expect(of('customer-role')).toEqual(['customers', 0, 'per-tenant']);
    expect(of('federated')).toEqual(['not-known', 0, 'shared']);
  });

  it('rests at a provider that the canaries have no key at on no check', () => {
    const facts = { ...pool, accounts: ['mistral' as const], credentials: [{ ...openai, provider: 'mistral' as const }] };
    expect(declarationOf(facts).credentials[0]).toMatchObject({ account: 'own', sharing: 'per-tenant', claim: { checks: [] } });
  });

  it('is made from the registry’s items: accounts that are made, credentials that are not revoked', () => {
    const item = (id: string, status: 'active' | 'revoked') => ({ ...openai, credentialId: credentialId.parse(id), status });
    const accounts = { openai: { attempt: 1, accountId: 'proj_1' }, mistral: { attempt: 1 } };
    const facts = tenantFactsOf({ tenantId: acme, tier: 'pool', accounts }, [
      item('b', 'active'),
      item('a', 'active'),
      item('c', 'revoked'),
    ]);
    expect(facts.accounts).toEqual(['openai']);
    expect(facts.credentials.map((one) => one.credentialId)).toEqual(['a', 'b']);
  });
});

describe('T8 the score', () => {
  it('is nothing without a run, or with one that is older than two days', () => {
    expect(score([])).toMatchObject({ score: 0, claims: { verified: 0, failed: 0 } });
    expect(score([]).verifiedAt).toBeUndefined();
    const [almost, over] = [
      { ...clean, finishedAt: new Date(now - validMs).toISOString() },
      { ...clean, finishedAt: new Date(now - validMs - 1).toISOString() },
    ];
    expect(score([over]).score).toBe(0);
    expect(score([almost]).score).toBe(score([clean]).score);
    expect(score([{ ...clean, finishedAt: 'never' }]).score).toBe(0);
  });

  it('is by what was verified of what is declared, also when nothing failed: what nothing shows counts against it', () => {
    const found = score([clean]);
    expect(found.claims).toMatchObject({ failed: 0, 'not-verified': 0 });
    expect(found.claims['declared-only']).toBeGreaterThan(0);
    expect(statusIn(found, 'vault/users-secrets')).toBe('declared-only');
    expect(serviceIn(found, 'vault')).toMatchObject({ score: 83, failed: [] });
    expect(serviceIn(found, 'registry')).toMatchObject({ score: 100 });
    expect(found.score).toBe(90);
    expect(found.verifiedAt).toBe(clean.finishedAt);
  });

  it('counts nothing that could not be tried', () => {
    const found = score([runOf(({ test }) => (test === 'rotation-independence' ? 'not-verified' : 'passed'))]);
    expect(serviceIn(found, 'rotation')).toMatchObject({ score: 0, failed: [] });
    expect(statusIn(found, 'rotation/independent')).toBe('not-verified');
  });

  it('counts a claim only when each of its checks has passed', () => {
    const found = score([{ ...clean, checks: clean.checks.filter(({ id }) => id !== 'vault-access-scope/read-secret-by-arn') }]);
    expect(statusIn(found, 'vault/others-secrets')).toBe('not-verified');
  });

  it('is 0 for a service of which one check failed, whatever else passed, and names the check', () => {
    const found = score([runOf(({ id }) => (id === 'enumeration/list-secrets' ? 'failed' : 'passed'))]);
    expect(serviceIn(found, 'vault')).toMatchObject({ score: 0, failed: ['enumeration/list-secrets'] });
    expect(statusIn(found, 'vault/no-lists')).toBe('failed');
    expect(statusIn(found, 'vault/others-secrets')).toBe('verified');
    expect(found.score).toBeLessThan(score([clean]).score);
  });

  it('is 0 for a service of which a check failed that no claim names', () => {
    const stray: Check = { id: 'enumeration/new', test: 'enumeration', service: 'registry', outcome: 'failed', detail: '' };
    expect(serviceIn(score([{ ...clean, checks: [...clean.checks, stray] }]), 'registry')).toMatchObject({
      score: 0,
      failed: ['enumeration/new'],
    });
  });

  it('takes of several runs what is newest of each check: what only the tenant’s own runs try, and the daily ones', () => {
    const daily = runOf(() => 'passed', 2);
    const withoutOwn = { ...daily, checks: daily.checks.filter(({ id }) => !id.includes('/asked-')) };
    expect(statusIn(score([withoutOwn]), 'vault/own-names')).toBe('not-verified');
    expect(score([withoutOwn, runOf(() => 'passed', 30)])).toEqual({ ...score([clean]), verifiedAt: daily.finishedAt });
  });

  it('lets a failure stand until the check passes, whatever could not be tried since', () => {
    const failed = runOf(({ id }) => (id === 'enumeration/scan-log' ? 'failed' : 'passed'), 20);
    const untried = runOf(() => 'not-verified', 10);
    const passed = runOf(() => 'passed', 5);
    expect(serviceIn(score([failed, untried]), 'attribution')?.failed).toEqual(['enumeration/scan-log']);
    expect(serviceIn(score([failed, passed]), 'attribution')?.failed).toEqual([]);
    expect(statusIn(score([failed, passed, runOf(() => 'not-verified', 1)]), 'attribution/others-entries')).toBe('not-verified');
  });

  it('counts a check that stands twice by the worse of the two', () => {
    const twice = everyCheck.flatMap((check) => [
      { ...check, outcome: 'failed' as const },
      { ...check, outcome: 'passed' as const },
    ]);
    expect(score([{ ...clean, checks: twice }]).score).toBe(0);
    expect(score([{ ...clean, checks: twice.toReversed() }]).score).toBe(0);
  });

  it('leaves out a service of which nothing is claimed', () => {
    const found = score([clean], { ...pool, credentials: [] });
    expect(serviceIn(found, 'provider-accounts')).toMatchObject({ score: undefined, claims: [] });
    const failed = score([runOf(({ service }) => (service === 'provider-accounts' ? 'failed' : 'passed'))], { ...pool, credentials: [] });
    expect(serviceIn(failed, 'provider-accounts')).toMatchObject({ score: 0 });
  });
});

describe('T8 the score, whatever was found', () => {
  const outcome = fc.constantFrom<Check['outcome']>('passed', 'failed', 'not-verified');
  const found = fc.array(outcome, { minLength: everyCheck.length, maxLength: everyCheck.length });
  const asRun = (outcomes: readonly Check['outcome'][]): ScoredRun => ({
    ...clean,
    checks: everyCheck.map((check, index) => ({ ...check, outcome: outcomes[index] ?? 'not-verified' })),
  });
  const facts = fc.constantFrom(pool, dedicated, { ...pool, credentials: [] });

  it('lies between 0 and 100, and is 100 only when everything declared was verified', () => {
    fc.assert(
      fc.property(found, facts, (outcomes, of) => {
        const { score: value, claims } = score([asRun(outcomes)], of);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(100);
        if (value === 100) expect([claims.failed, claims['not-verified'], claims['declared-only']]).toEqual([0, 0, 0]);
      }),
    );
  });

  it('is never raised by a check that fails or cannot be made, nor lowered by one that passes', () => {
    const worse = { passed: 'not-verified', 'not-verified': 'failed', failed: 'failed' } as const;
    fc.assert(
      fc.property(found, fc.nat(everyCheck.length - 1), facts, (outcomes, at, of) => {
        const after = score([asRun(outcomes.with(at, worse[outcomes[at] ?? 'failed']))], of);
        const before = score([asRun(outcomes)], of);
        expect(after.score).toBeLessThanOrEqual(before.score);
        for (const [index, service] of after.services.entries())
          expect(service.score ?? 0).toBeLessThanOrEqual(before.services[index]?.score ?? (service.failed.length > 0 ? 0 : 100));
      }),
      { numRuns: 500 },
    );
  });

  it('is never raised by declaring more that nothing shows, nor by time that goes by', () => {
    fc.assert(
      fc.property(found, fc.nat({ max: 100 }), fc.nat({ max: 8 }), (outcomes, hours, place) => {
        const declaration = declarationOf(pool);
        const more = {
          ...declaration,
          services: declaration.services.map((service, index) =>
            index === place
              ? { ...service, claims: [...service.claims, { id: 'x/more', says: 'more', mechanism: ['words'], checks: [] }] }
              : service,
          ),
        };
        const runs = [asRun(outcomes)];
        const before = scoreOf(declaration, runs, now);
        expect(scoreOf(more, runs, now).score).toBeLessThanOrEqual(before.score);
        expect(scoreOf(declaration, runs, now + hours * 3_600_000).score).toBeLessThanOrEqual(before.score);
      }),
    );
  });

  it('does not depend on the order of runs and checks', () => {
    fc.assert(
      fc.property(found, found, fc.nat({ max: 60 }), (first, second, hours) => {
        const [a, b] = [asRun(first), { ...asRun(second), finishedAt: new Date(now - (hours + 2) * 3_600_000).toISOString() }];
        const turned = (run: ScoredRun): ScoredRun => ({ ...run, checks: run.checks.toReversed() });
        const values = (of: IsolationScore) => [of.score, of.claims, of.services.map((one) => [one.score, one.failed.toSorted()])];
        expect(values(score([turned(b), turned(a)]))).toEqual(values(score([a, b])));
      }),
    );
  });
});
