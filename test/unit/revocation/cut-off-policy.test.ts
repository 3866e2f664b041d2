import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CutOffEntry, endOf, instantOf } from '../../../functions/revocation/cut-off/cut-off-entry.ts';
import { maxPolicyLength, revokedPolicy } from '../../../functions/revocation/cut-off/revoked-policy.ts';
import { tenantId, userId } from '../../../functions/shared/identifier-fields.ts';
import { compileDocument } from '../../../local/iam/compile.ts';
import { evaluate, requestContext } from '../../../local/iam/evaluate.ts';
import { account } from '../../fixtures/attacks.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const minute = 60_000;
type Cut = Pick<CutOffEntry, 'id' | 'tenantId' | 'userId' | 'before'>;

const acme = tenantId.parse('acme');
const bolt = tenantId.parse('bolt');
const ann = userId.parse('a'.repeat(26));
const ben = userId.parse('b'.repeat(26));
const cut = (over: Partial<Cut>): Cut => ({ id: 'one', tenantId: acme, before: start, ...over });

interface Asked {
  readonly tenantId: string;
  readonly userId?: string | undefined;
  /** When STS issued the session, in milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly action?: string;
}

/** Makes a judge of a document: whether it refuses a session that may do everything otherwise. */
function judgeOf(document: object): (asked: Asked) => boolean {
  const everything = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } } as const;
  // Through JSON, as IAM gets it.
  const policies = [
    compileDocument('Revoked', 'identity', JSON.parse(JSON.stringify(document))),
    compileDocument('Everything', 'identity', everything),
  ];
  return ({ tenantId: tenant, userId: user, issuedAt, action = 'secretsmanager:GetSecretValue' }) =>
    !evaluate({
      principal: {
        kind: 'role-session',
        accountId: account,
        arn: `arn:aws:sts::${account}:assumed-role/TenantReader/session`,
        roleArn: `arn:aws:iam::${account}:role/cordon/TenantReader`,
      },
      action,
      resource: '*',
      context: requestContext({
        'aws:PrincipalTag/TenantId': tenant,
        'aws:PrincipalTag/UserId': user,
        'aws:TokenIssueTime': `${new Date(issuedAt).toISOString().slice(0, 19)}Z`,
      }),
      identity: policies,
      resourceAccountId: account,
    }).allowed;
}

const refuses = (entries: readonly Cut[], asked: Asked, now = start): boolean => judgeOf(revokedPolicy(entries, now).document)(asked);

describe('X5 what the cut-off refuses', () => {
  it('is nothing when there is no entry', () => {
    const { document, covered, waiting } = revokedPolicy([], start);
    expect(document.Statement).toHaveLength(1);
    expect({ covered, waiting }).toEqual({ covered: [], waiting: [] });
    for (const tenant of ['acme', 'none', 'NONE']) expect(judgeOf(document)({ tenantId: tenant, issuedAt: start })).toBe(false);
  });

  it('is no session of another tenant, also not of one whose name begins alike', () => {
    const asked = { issuedAt: start - minute };
    expect(refuses([cut({})], { ...asked, tenantId: 'acme' })).toBe(true);
    for (const tenant of ['bolt', 'acme-2', 'acm']) expect(refuses([cut({})], { ...asked, tenantId: tenant })).toBe(false);
  });

  it('is no session that was issued from the next full second on, and every one of the very second', () => {
    const entries = [cut({ before: start + 400 })];
    const at = (ms: number) => refuses(entries, { tenantId: 'acme', issuedAt: start + ms });
    expect([-minute, 0, 399, 400, 999].map(at)).toEqual([true, true, true, true, true]);
    expect([1000, 1001, minute].map(at)).toEqual([false, false, false]);
    expect(refuses([cut({})], { tenantId: 'acme', issuedAt: start }), 'issued in the very instant, and so not before it').toBe(false);
  });

  it('is of a tenant the sessions of its users too, and of a user nothing but that user’s', () => {
    const [issuedAt, tenant] = [start - minute, 'acme'];
    expect(refuses([cut({})], { tenantId: tenant, userId: ann, issuedAt })).toBe(true);
    const ofAnn = [cut({ userId: ann })];
    expect(refuses(ofAnn, { tenantId: tenant, userId: ann, issuedAt })).toBe(true);
    expect(refuses(ofAnn, { tenantId: tenant, userId: ben, issuedAt })).toBe(false);
    expect(refuses(ofAnn, { tenantId: tenant, issuedAt }), 'the tenant’s own session, without a user').toBe(false);
  });

  it('never crosses the users of one tenant with another tenant', () => {
    const entries = [cut({ userId: ann }), cut({ id: 'two', tenantId: bolt, userId: ben })];
    const issuedAt = start - minute;
    expect(refuses(entries, { tenantId: 'acme', userId: ann, issuedAt })).toBe(true);
    expect(refuses(entries, { tenantId: 'bolt', userId: ben, issuedAt })).toBe(true);
    expect(refuses(entries, { tenantId: 'acme', userId: ben, issuedAt })).toBe(false);
    expect(refuses(entries, { tenantId: 'bolt', userId: ann, issuedAt })).toBe(false);
  });

  it('leaves to a session that was cut off that it records how a call ended, and nothing else', () => {
    const judge = judgeOf(revokedPolicy([cut({})], start).document);
    const asked = { tenantId: 'acme', issuedAt: start - minute };
    expect(judge({ ...asked, action: 'dynamodb:PartiQLInsert' })).toBe(false);
    for (const action of ['dynamodb:GetItem', 'dynamodb:PartiQLUpdate', 'sts:AssumeRole', 'kms:Decrypt', 'iam:CreateRole'])
      expect(judge({ ...asked, action }), action).toBe(true);
  });

  it('is forgotten when the longest session has ended, and not before', () => {
    const entry = cut({ before: start });
    const asked = { tenantId: 'acme', issuedAt: start - 1000 };
    expect(refuses([entry], asked, start + 60 * minute)).toBe(true);
    expect(refuses([entry], asked, endOf(entry) - 1)).toBe(true);
    expect(refuses([entry], asked, endOf(entry))).toBe(false);
  });

  it('follows from the entries alone: their order changes nothing', () => {
    const entries = [cut({}), cut({ id: 'two', tenantId: bolt, userId: ben }), cut({ id: 'three', tenantId: bolt, userId: ann })];
    expect(revokedPolicy(entries.toReversed(), start).document).toEqual(revokedPolicy(entries, start).document);
  });
});

describe('X5 a cut-off that does not fit', () => {
  const many = (count: number, make: (n: number) => Partial<Cut>): Cut[] =>
    Array.from({ length: count }, (_, n) => cut({ id: `cut-${n}`, ...make(n) }));
  const userNumber = (n: number) => userId.parse(n.toString(2).replaceAll('0', 'a').replaceAll('1', 'b').padStart(26, 'c'));
  const tenantNumber = (n: number) => tenantId.parse(`a-tenant-with-a-long-name-${n}`);
  const length = (document: object): number => JSON.stringify(document).length;

  it('makes the tenant with the most users whole, and keeps the others to their users', () => {
    const entries = [...many(300, (n) => ({ userId: userNumber(n) })), cut({ id: 'bolt', tenantId: bolt, userId: ben })];
    const { document, waiting } = revokedPolicy(entries, start);
    expect(waiting).toEqual([]);
    expect(length(document)).toBeLessThanOrEqual(maxPolicyLength);
    const judge = judgeOf(document);
    expect(judge({ tenantId: 'acme', userId: userNumber(1000), issuedAt: start - 1 })).toBe(true);
    expect(judge({ tenantId: 'bolt', userId: ben, issuedAt: start - 1 })).toBe(true);
    expect(judge({ tenantId: 'bolt', userId: ann, issuedAt: start - 1 })).toBe(false);
  });

  it('puts neighbouring minutes together before it lets anybody wait', () => {
    const entries = many(60, (n) => ({ tenantId: tenantNumber(n), before: start - n * minute }));
    const { document, waiting, covered } = revokedPolicy(entries, start);
    expect({ waiting, covered: covered.length }).toEqual({ waiting: [], covered: 60 });
    expect(length(document)).toBeLessThanOrEqual(maxPolicyLength);
    expect(document.Statement.length).toBeGreaterThan(10);
  });

  it('keeps the newest when not even the tenants fit, and says which ones wait', () => {
    const entries = many(400, (n) => ({ tenantId: tenantNumber(n), before: start - n * 1000 }));
    const { document, waiting, covered } = revokedPolicy(entries, start);
    expect(length(document)).toBeLessThanOrEqual(maxPolicyLength);
    expect(length(document), 'no room is given away').toBeGreaterThan(maxPolicyLength - 60);
    expect(covered.length + waiting.length).toBe(400);
    expect(covered).toEqual(entries.slice(0, covered.length).map(({ id }) => id));
    expect(refuses(entries, { tenantId: entries.at(-1)?.tenantId ?? '', issuedAt: start - 500 * 1000 })).toBe(false);
  });
});

describe('X5 any cut-offs at all', () => {
  const tenants = ['acme', 'acme-2', 'bolt', ...Array.from({ length: 300 }, (_, n) => `a-tenant-with-a-longer-name-${n}`)];
  const users = ['a', 'b', 'c', 'd'].map((letter) => userId.parse(letter.repeat(26)));
  const strangers = ['someone-else', 'acme-3', 'ac'];
  const anyCut = fc.record({
    tenantId: fc.nat({ max: tenants.length - 1 }).map((n) => tenantId.parse(tenants[n])),
    userId: fc.option(fc.constantFrom(...users), { nil: undefined }),
    before: fc.integer({ min: start - 80 * minute, max: start + 1000 }),
  });
  /** From a handful to many more than fit. */
  const anyCuts = fc
    .oneof(fc.array(anyCut, { maxLength: 12 }), fc.array(anyCut, { minLength: 100, maxLength: 700 }))
    .map((cuts): Cut[] => cuts.map((one, n) => ({ id: `cut-${n}`, ...one })));

  it('refuse everything they were asked for or say that it waits, and fit; nobody else is refused anything', () => {
    fc.assert(
      fc.property(anyCuts, fc.array(fc.integer({ min: start - 90 * minute, max: start + 5 * minute }), { maxLength: 5 }), (cuts, times) => {
        const { document, covered, waiting } = revokedPolicy(cuts, start);
        expect(JSON.stringify(document).length).toBeLessThanOrEqual(maxPolicyLength);
        for (const { Effect } of document.Statement) expect(Effect).toBe('Deny');
        const live = cuts.filter((one) => endOf(one) > start);
        expect([...covered, ...waiting].sort()).toEqual(live.map(({ id }) => id).sort());
        const judge = judgeOf(document);
        const isCovered = new Set(covered);
        for (const { id, tenantId: tenant, userId: user, before } of cuts) {
          if (isCovered.has(id))
            for (const ms of [1, 999, 30 * minute]) expect(judge({ tenantId: tenant, userId: user, issuedAt: before - ms })).toBe(true);
        }
        for (const tenant of [...strangers, ...new Set(cuts.filter(({ id }) => waiting.includes(id)).map((one) => one.tenantId))])
          for (const issuedAt of times) expect(judge({ tenantId: tenant, userId: users[0], issuedAt })).toBe(false);
        // The latest instant of all: nothing that is issued from then on is refused to anybody.
        const latest = Math.max(...live.map(instantOf));
        for (const { tenantId: tenant, userId: user } of live)
          expect(judge({ tenantId: tenant, userId: user, issuedAt: latest })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('refuse exactly the seconds they name as long as there is room and each has a minute of its own', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyCut, { maxLength: 8, selector: ({ before }) => Math.floor(instantOf({ before }) / minute) }),
        (some) => {
          const cuts = some.map((one, n): Cut => ({ id: `cut-${n}`, ...one }));
          const judge = judgeOf(revokedPolicy(cuts, start).document);
          for (const { tenantId: tenant } of cuts)
            for (const user of [undefined, ...users])
              for (const { before } of cuts)
                for (const issuedAt of [before - 1, before + 1000, before + 30 * minute]) {
                  const wanted = cuts.some(
                    (one) =>
                      endOf(one) > start &&
                      one.tenantId === tenant &&
                      (one.userId === undefined || one.userId === user) &&
                      Math.floor(issuedAt / 1000) * 1000 < instantOf(one),
                  );
                  expect(judge({ tenantId: tenant, userId: user, issuedAt })).toBe(wanted);
                }
        },
      ),
      { numRuns: 100 },
    );
  });
});
