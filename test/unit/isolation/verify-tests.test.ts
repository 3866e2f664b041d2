import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolationTests } from '../../../functions/isolation/check.ts';
import { applyVerificationMessage } from '../../../functions/isolation/verify/apply-verification-message.ts';
import { type AttemptAnswer, decisionOf, type ForbiddenAttempt, judged } from '../../../functions/isolation/verify/attempt.ts';
import { withOtherTenant } from '../../../functions/isolation/verify/play-broker.ts';
import { countedFor } from '../../../functions/isolation/verify/play-rate-limits.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { acme, createIsolationWorld, type IsolationWorld, type Spoiled } from '../../contracts/fakes/isolation-world.ts';
import { platformEvent } from '../../contracts/fakes/platform-events.ts';

async function run(world: IsolationWorld, tenantId: string = acme): Promise<Readonly<Record<string, string>>> {
  const body = platformEvent('IsolationVerificationRequested', { version: 1, tenantId, requestedBy: 'test' });
  await applyVerificationMessage(world.deps, { body, receiptHandle: 'r', receiveCount: 1 }, world.deps.clock() + 300_000);
  return world.found();
}
const having = (found: Readonly<Record<string, string>>, outcome: string): readonly string[] =>
  Object.keys(found).filter((id) => found[id] === outcome);

describe('T1 each violation fails its own test, and a sound world fails none', () => {
  it('passes every check in a sound world', async () => {
    const found = await run(createIsolationWorld());
    expect(Object.keys(found).length).toBeGreaterThan(100);
    expect(having(found, 'failed')).toEqual([]);
    expect(having(found, 'not-verified')).toEqual([]);
    for (const test of isolationTests) expect(Object.keys(found).some((id) => id.startsWith(`${test}/`))).toBe(true);
  });

  const through =
    (operation: string, kind: 'allowed' | 'let-through' = 'allowed'): NonNullable<Spoiled['answers']> =>
    (attempt) => {
      if (attempt.operation !== operation) return undefined;
      return kind === 'allowed' ? { kind, result: {} } : { kind, code: 'ResourceNotFoundException' };
    };
  const cases: readonly (readonly [what: string, spoiled: Spoiled, failed: readonly string[]])[] = [
    ['secrets can be listed', { answers: through('ListSecrets') }, ['enumeration/list-secrets', 'enumeration/list-secrets-by-tag']],
    [
      'IAM lets a read through, and only the name is not there',
      { answers: through('ListSecretVersionIds', 'let-through') },
      ['vault-access-scope/asked-list-versions', 'vault-access-scope/list-versions'],
    ],
    ['a data key is given in another’s name', { answers: through('Encrypt') }, ['vault-access-scope/encrypt']],
    ['the broker tells what exists', { tellsWhatExists: true }, ['enumeration/others-environment']],
    [
      'the broker serves anyone',
      { servesAnyone: true },
      ['enumeration/others-environment', 'enumeration/without-token', 'vault-access-scope/changed-token'],
    ],
    ['sessions mints for a changed token', { mintsForChangedTokens: true }, ['vault-access-scope/changed-token-session']],
    ['both have one account', { sharedAccount: true }, ['rate-limit-attribution/accounts']],
    ['both share a limit', { sharedLimit: true }, ['rate-limit-attribution/counters']],
    ['a use stands in no log', { logs: () => false }, ['usage-log-attribution/in-own-log']],
    ['a use stands with another’s credential', { wrongCredentialInLog: true }, ['usage-log-attribution/in-own-log']],
    ['a use has no outcome', { noOutcome: true }, ['usage-log-attribution/intent-and-outcome']],
    ['a log shows another’s uses', { logs: () => true }, ['usage-log-attribution/not-in-other', 'usage-log-attribution/not-in-own']],
    ['a header names the tenant', { believesHeader: true }, ['usage-log-attribution/tenant-header']],
    ['a rotation changes another’s versions', { rotationChangesB: true }, ['rotation-independence/others-unchanged']],
    ['a rotation breaks another’s key', { rotationBreaksB: true }, ['rotation-independence/others-served']],
  ];
  it.each(cases)('%s', async (_, spoiled, failed) => {
    const world = createIsolationWorld();
    Object.assign(world.spoiled, spoiled);
    const found = await run(world);
    expect(having(found, 'failed')).toEqual(expect.arrayContaining([...failed]));
    const told = world.announced.filter(({ type }) => type === 'IsolationViolationDetected').map(({ detail }) => JSON.stringify(detail));
    for (const id of failed) expect(told.filter((text) => text.includes(`"ISOLATION_TEST_FAILED","message":"${id}: `))).toHaveLength(1);
  });
});

describe('T1 what could not be tried is not verified, and never passed', () => {
  const notVerified: readonly (readonly [what: string, spoiled: Spoiled, ids: readonly string[]])[] = [
    [
      'a session that can do nothing proves nothing by being refused',
      { sessionIsDead: true },
      [
        'vault-access-scope/read-secret',
        'enumeration/list-secrets',
        'vault-access-scope/become-other',
        'vault-access-scope/connect-as-other',
      ],
    ],
    ['the provider says nothing of its limits', { noLimitHeaders: true }, ['rate-limit-attribution/counters']],
    ['a limit refills too fast to be seen', { hugeLimit: true }, ['rate-limit-attribution/counters']],
    [
      'the provider is down',
      { provider: 503 },
      [
        'rate-limit-attribution/counters',
        'usage-log-attribution/in-own-log',
        'rotation-independence/others-served',
        'enumeration/without-token',
      ],
    ],
    ['a rotation does not come to its end', { rotationNeverEnds: true }, ['rotation-independence/new-version-used']],
    [
      'AWS does not answer',
      { answers: ({ operation }) => (operation === 'Scan' ? { kind: 'no-answer', code: 'ThrottlingException' } : undefined) },
      ['enumeration/scan-registry', 'enumeration/scan-log'],
    ],
  ];
  it.each(notVerified)('%s', async (_, spoiled, ids) => {
    const world = createIsolationWorld();
    Object.assign(world.spoiled, spoiled);
    const found = await run(world);
    expect(having(found, 'failed')).toEqual([]);
    expect(having(found, 'not-verified')).toEqual(expect.arrayContaining([...ids]));
  });

  it('says of all five tests why, when a canary gets no token', async () => {
    const world = createIsolationWorld();
    world.spoiled.identity = new CordonError('CANARY_UNAVAILABLE', 'no value yet');
    expect(await run(world)).toEqual(Object.fromEntries(isolationTests.map((test) => [`${test}/could-be-run`, 'not-verified'])));
    expect(world.announced.map(({ type, detail }) => [type, detail['passed']])).toEqual([['IsolationVerified', 0]]);
  });

  it('passes nothing but a refusal beside a permission, whatever AWS answers', () => {
    const attempt: ForbiddenAttempt = {
      ...{ id: 'enumeration/x', test: 'enumeration', for: 'vault', what: 'do it', service: 'kms', operation: 'Encrypt', input: {} },
    };
    const kinds = fc.constantFrom<AttemptAnswer['kind']>('allowed', 'refused', 'let-through', 'no-answer');
    fc.assert(
      fc.property(kinds, fc.string(), fc.boolean(), (kind, code, works) => {
        const answer: AttemptAnswer = kind === 'allowed' ? { kind, result: {} } : { kind, code };
        const { outcome } = judged(attempt, answer, { works, what: 'working' });
        expect(outcome === 'passed').toBe(kind === 'refused' && works);
        expect(outcome === 'failed').toBe(kind === 'allowed' || kind === 'let-through');
      }),
    );
  });

  it.each([
    ['ResourceNotFoundException', 400, 'let-through'],
    ['ConditionalCheckFailedException', 400, 'let-through'],
    ['InvalidCiphertextException', 400, 'let-through'],
    ['ValidationException', 400, 'no-answer'],
    ['ThrottlingException', 400, 'no-answer'],
    ['NotImplemented', 501, 'no-answer'],
    ['ResourceNotFoundException', 503, 'no-answer'],
    ['anything', undefined, 'no-answer'],
  ])('takes %s (%s) for %s', (code, status, kind) => {
    expect(decisionOf(code, status)).toBe(kind);
  });

  it('takes from another’s limit only what that one has not used itself', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        (usedByA, before, after) => {
          const { outcome } = countedFor({ usedByA, before, after });
          if (before - after > 1) expect(outcome).toBe('failed');
          else expect(outcome).toBe(usedByA > 1 ? 'passed' : 'not-verified');
        },
      ),
    );
  });

  it('changes the tenant in a token’s claims and nothing else of it', () => {
    const claims = Buffer.from(JSON.stringify({ tenant_id: 'cordon-canary-a', sub: 'x' })).toString('base64url');
    const [header, changed = '', signature] = withOtherTenant(`h.${claims}.s`, 'cordon-canary-a', 'cordon-canary-b').split('.');
    expect([header, signature]).toEqual(['h', 's']);
    expect(JSON.parse(Buffer.from(changed, 'base64url').toString())).toEqual({ tenant_id: 'cordon-canary-b', sub: 'x' });
  });
});
