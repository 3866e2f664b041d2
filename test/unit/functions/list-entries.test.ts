import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { attributionEntry, type Outcome } from '../../../functions/attribution/attribution-entry.ts';
import { createHandler } from '../../../functions/attribution/list-entries.handler.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import type { Log } from '../../../functions/shared/log.ts';
import { createMemoryAttributionPages } from '../../contracts/fakes/memory-attribution-pages.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2026-11-21T12:00:00Z');
const [ann, ben] = [userIdOf('i', 'ann'), userIdOf('i', 'ben')];

let now: number;
let pages: ReturnType<typeof createMemoryAttributionPages>;
let nextId: () => string;
let named: unknown[];
const log: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => log };

beforeEach(() => {
  now = start;
  pages = createMemoryAttributionPages();
  named = [];
  nextId = createIds(() => now);
});

interface Use {
  readonly tenant?: string;
  readonly userId?: typeof ann;
  readonly agentId?: string;
  readonly sessionId?: string;
  readonly credentialId?: string;
  readonly provider?: string;
  readonly asserted?: Record<string, string>;
  readonly outcome?: Outcome | 'none';
}

/** Records one use at `now`; answers its ID. */
function use({ tenant = 'acme', credentialId = 'openai-main', provider = 'openai', asserted, outcome, ...actor }: Use = {}): string {
  const id = nextId();
  const intent = {
    id,
    at: new Date(now).toISOString(),
    tenantId: tenantId.parse(tenant),
    actor: { function: 'broker', userId: ann, ...actor },
    credentialId,
    provider,
    operation: 'provider.call',
    context: {},
    ...(asserted && { asserted }),
  };
  pages.add(attributionEntry.parse({ ...intent, kind: 'INTENT' }));
  if (outcome !== 'none') pages.add(attributionEntry.parse({ ...intent, kind: 'OUTCOME', outcome: outcome ?? { result: 'succeeded' } }));
  return id;
}

function get(query: Record<string, string | string[]> = {}, token = 'acme'): Promise<APIGatewayProxyResult> {
  const handler = createHandler({
    clock: () => now,
    log,
    async openPages(given) {
      if (given === 'down') throw new CordonError('SESSION_UNAVAILABLE', 'not now', { retryable: true });
      if (!['acme', 'acme-2'].includes(given)) throw new CordonError('TOKEN_REFUSED', 'sessions refused the token');
      return { tenantId: tenantId.parse(given), pages };
    },
    reportNamed: async (by, names) => void named.push({ by, names }),
  });
  const values = Object.entries(query).map(([name, value]) => [name, [value].flat()] as const);
  return handler({
    headers: { authorization: `Bearer ${token}` },
    queryStringParameters: Object.fromEntries(values.map(([name, found]) => [name, found.at(-1)])),
    multiValueQueryStringParameters: Object.fromEntries(values),
    requestContext: { requestId: 'r-1' },
  });
}

const bodyOf = async (answer: Promise<APIGatewayProxyResult>) => {
  const { statusCode, body } = await answer;
  expect(statusCode, body).toBe(200);
  return JSON.parse(body);
};
const idsOf = async (query: Record<string, string>, token?: string): Promise<string[]> =>
  (await bodyOf(get(query, token))).entries.map((entry: { id: string }) => entry.id);

describe("E1 a tenant's own entries", () => {
  it('show who did what with which credential, and what came of it', async () => {
    const usage = { inputTokens: 3, outputTokens: 5 };
    const id = use({
      agentId: 'support',
      sessionId: 's-1',
      asserted: { 'workflow-run': 'w-1' },
      outcome: { result: 'succeeded', statusCode: 200, usage, bytes: 10, durationMs: 7 },
    });
    expect((await bodyOf(get())).entries).toEqual([
      {
        id,
        at: '2026-11-21T12:00:00.000Z',
        operation: 'provider.call',
        provider: 'openai',
        credentialId: 'openai-main',
        userId: ann,
        agentId: 'support',
        sessionId: 's-1',
        asserted: { 'workflow-run': 'w-1' },
        context: {},
        outcome: 'succeeded',
        statusCode: 200,
        usage,
        bytes: 10,
        durationMs: 7,
      },
    ]);
  });

  it('show the signed document of what was verified', async () => {
    const proof = {
      document: '{"verdict":"sound"}',
      algorithm: 'ECDSA_SHA_256',
      signature: 'c2ln',
      keyArn: 'arn:aws:kms:us-east-1:111122223333:key/k',
    };
    const verification = {
      id: nextId(),
      at: new Date(now).toISOString(),
      tenantId: 'acme',
      actor: { function: 'byoc' },
      operation: 'connection.verify',
      context: {},
    };
    pages.add(attributionEntry.parse({ ...verification, kind: 'INTENT' }));
    pages.add(attributionEntry.parse({ ...verification, kind: 'OUTCOME', outcome: { result: 'succeeded' }, proof }));
    expect((await bodyOf(get())).entries).toEqual([expect.objectContaining({ operation: 'connection.verify', proof })]);
  });

  it("are nobody else's", async () => {
    const own = use();
    const theirs = use({ tenant: 'acme-2' });
    expect(await idsOf({})).toEqual([own]);
    expect(await idsOf({}, 'acme-2')).toEqual([theirs]);
  });

  it.each<[Record<string, string>, Use]>([
    [{ user: ben }, { userId: ben }],
    [{ agent: 'support' }, { agentId: 'support' }],
    [{ session: 's-1' }, { sessionId: 's-1' }],
    [{ credential: 'other' }, { credentialId: 'other' }],
    [{ provider: 'anthropic' }, { provider: 'anthropic' }],
    [{ outcome: 'cut' }, { outcome: { result: 'cut' } }],
    [{ outcome: 'pending' }, { outcome: 'none' }],
    [{ workflowRun: 'w-1' }, { asserted: { 'workflow-run': 'w-1' } }],
    [{ useCase: 'u' }, { asserted: { 'use-case': 'u' } }],
    [{ team: 't' }, { asserted: { team: 't' } }],
    [
      { session: 's-1', provider: 'anthropic', user: ben },
      { sessionId: 's-1', provider: 'anthropic', userId: ben },
    ],
  ])('can be asked for by %o', async (query, wanted) => {
    use();
    use({ sessionId: 's-1' === query['session'] ? 's-1#other' : 's-2' });
    const id = use(wanted);
    expect(await idsOf(query)).toEqual([id]);
  });

  it('of the last day, unless another time is asked for: from is included, to is not', async () => {
    const old = use();
    now += day + hour;
    const recent = use();
    expect(await idsOf({})).toEqual([recent]);
    const at = (ms: number): string => new Date(ms).toISOString();
    expect(await idsOf({ from: at(start), to: at(now) })).toEqual([old]);
    expect(await idsOf({ from: at(start + 1) })).toEqual([recent]);
    expect(await idsOf({ from: '2026-11-21', to: '2026-11-22' })).toEqual([old]);
    expect(await idsOf({ from: '2026-11-21T13:00:00+01:00', to: '2026-11-21T13:00:01+01:00' })).toEqual([old]);
  });
});

describe('E2 an unfinished intent', () => {
  it('is pending for 16 minutes and unknown from then on', async () => {
    use({ outcome: 'none' });
    now += 16 * 60_000 - 1;
    expect((await bodyOf(get())).entries).toMatchObject([{ outcome: 'pending' }]);
    now += 1;
    expect((await bodyOf(get())).entries).toMatchObject([{ outcome: 'unknown' }]);
  });
});

describe('E1 pages', () => {
  it.each([1, 2, 3, 7, 200])('of %i hold every entry once and in order, also across days and with unfinished ones', async (limit) => {
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      now += 5 * hour;
      ids.push(use(count % 3 === 0 ? { outcome: 'none' } : {}));
    }
    const query = { from: '2026-11-21', to: '2026-12-01' };
    const found: { id: string }[] = [];
    let cursor: string | undefined;
    do {
      const page = await bodyOf(get({ ...query, limit: String(limit), ...(cursor !== undefined && { cursor }) }));
      expect(page.entries.length).toBeLessThanOrEqual(limit);
      found.push(...page.entries);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(found.map((entry) => entry.id)).toEqual(ids);
  });

  it('show an entry with its outcome also where what is read at once ends between the two', async () => {
    use();
    use();
    const id = use({ agentId: 'support' });
    expect((await bodyOf(get({ agent: 'support', limit: '1' }))).entries).toMatchObject([{ id, outcome: 'succeeded' }]);
  });

  it('may be short where much was looked through for little, and go on', async () => {
    for (let count = 0; count < 2500; count += 1) use();
    const wanted = use({ agentId: 'support' });
    const first = await bodyOf(get({ agent: 'support' }));
    expect(first.entries).toEqual([]);
    const second = await bodyOf(get({ agent: 'support', cursor: first.cursor }));
    expect(second.entries.map((entry: { id: string }) => entry.id)).toEqual([wanted]);
    expect(second.cursor).toBeUndefined();
  });

  it('end where the first one ended, whatever has happened since', async () => {
    use();
    use();
    const first = await bodyOf(get({ limit: '1' }));
    now += 1000;
    use();
    const second = await bodyOf(get({ limit: '10', cursor: first.cursor }));
    expect(second.entries).toHaveLength(1);
  });
});

describe('I11 a cursor', () => {
  it("of another tenant, of another query, or of nobody's is refused", async () => {
    use();
    use();
    use({ tenant: 'acme-2' });
    const { cursor } = await bodyOf(get({ limit: '1', provider: 'openai' }));
    const [, after, before, mark] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const forged = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const answers = [
      await get({ cursor, provider: 'openai' }, 'acme-2'),
      await get({ cursor }),
      await get({ cursor, provider: 'anthropic' }),
      await get({ cursor: 'x' }),
      await get({ cursor: forged([1, after, before, 'x'.repeat(22)]) }),
      await get({ cursor: forged([1, 'TENANT#acme-2#', before, mark]), provider: 'openai' }),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(400);
      expect(JSON.parse(answer.body)).toEqual({
        error: { code: 'CALL_INVALID', message: expect.stringMatching(/^cursor /), requestId: 'r-1' },
      });
    }
  });
});

describe('P5 a request that cannot be understood is told what to change', () => {
  it.each<[Record<string, string | string[]>, RegExp]>([
    [{ limit: '0' }, /limit must be a whole number from 1 to 200/],
    [{ limit: '201' }, /limit must be/],
    [{ limit: '1e2' }, /limit must be/],
    [{ from: 'yesterday' }, /from must be a time such as/],
    [{ from: '2026-11-21T12:00:00' }, /from must be a time such as/],
    [{ from: '2026-11-21', to: '2026-11-21' }, /from must be before to/],
    [{ from: '2026-11-22' }, /from must be before to/],
    [{ from: '2026-01-01', to: '2026-11-01' }, /92 days apart at most/],
    [{ user: 'ann' }, /user must be a user ID/],
    [{ credential: '../acme-2' }, /credential must be a credential ID/],
    [{ provider: 'nobody' }, /provider must be one of openai, /],
    [{ outcome: 'fine' }, /outcome must be one of succeeded, /],
    [{ agent: 'a\nb' }, /agent must be short plain text/],
    [{ tenant: 'acme-2' }, /parameters that are not known; known are user, /],
    [{ user: [ann, ben] }, /each parameter may be there once/],
  ])('%o', async (query, message) => {
    const { statusCode, body } = await get(query);
    expect([statusCode, JSON.parse(body)]).toEqual([
      400,
      { error: { code: 'CALL_INVALID', message: expect.stringMatching(message), requestId: 'r-1' } },
    ]);
  });
});

describe('I11 whoever is not let in learns nothing', () => {
  it('with a token that sessions refuses', async () => {
    const { statusCode, body } = await get({}, 'forged');
    expect([statusCode, JSON.parse(body).error]).toEqual([
      401,
      { code: 'TOKEN_REFUSED', message: 'The token was not accepted.', requestId: 'r-1' },
    ]);
  });

  it('while sessions is away', async () => {
    expect(await get({}, 'down')).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
  });
});

describe('T6 a name that may be a decoy’s', () => {
  const name = 'openai-backup-abcdefgh';

  it('is told of whoever lists by it, and answered as any other', async () => {
    expect(await get({ credential: name })).toEqual(await get({ credential: 'openai-backup' }));
    expect(named).toEqual([{ by: 'acme', names: [name] }]);
  });

  it('is told too when the list is refused, and of nobody whose token is', async () => {
    expect((await get({ credential: [name, 'main'] })).statusCode).toBe(400);
    expect((await get({ credential: name }, 'forged')).statusCode).toBe(401);
    expect(named).toEqual([{ by: 'acme', names: [name] }]);
  });
});
