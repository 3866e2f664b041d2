import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ulid } from 'ulid';
import { beforeAll, describe, expect, it } from 'vitest';
import { attributed } from '../../functions/attribution/attributed.ts';
import type { Actor } from '../../functions/attribution/attribution-entry.ts';
import type { AttributionQuery } from '../../functions/attribution/attribution-store.ts';
import { usesOf } from '../../functions/attribution/read-attribution.ts';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { attributedRead } from '../../local/demo/attribute-reads.ts';
import { entryChanges, insertInto } from '../support/attribution-changes.ts';
import { credentialIdOf, entriesOf, storeFor, tenantIdOf, userIdFrom } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { asRoot, type Item, itemsOf } from '../support/ground-truth.ts';
import { assumeRole, credentialsOf, type Neighbours, onboardNeighbours } from '../support/neighbours.ts';

interface Holder {
  readonly tenantId: string;
  readonly credentials: AwsCredentials;
}

let test: TestCloud;
let table: string;
let the: Neighbours;
/** Every kind of session a tenant has. The dedicated ones are of a third tenant. */
let holders: Readonly<Record<string, Holder>>;
const writing = ['reader', "user's", 'writer', 'dedicated reader', 'dedicated writer'];

beforeAll(async () => {
  test = await testCloud();
  table = test.cloud.outputs['AttributionTable'] ?? '';
  the = await onboardNeighbours(test);
  const { tenantId: dedicated } = await test.onboard({ tier: 'dedicated' });
  const roleArn = `arn:aws:iam::${test.cloud.accountId}:role/cordon/TenantAgent-${dedicated}.writer`;
  const asTenants = test.clients(await credentialsOf(test, 'tenants'));
  holders = {
    reader: { tenantId: the.a, credentials: the.sessions.reader },
    "user's": { tenantId: the.a, credentials: the.sessions.ana },
    writer: { tenantId: the.a, credentials: the.sessions.writer },
    'dedicated reader': { tenantId: dedicated, credentials: await test.tenantSession(dedicated) },
    'dedicated writer': {
      tenantId: dedicated,
      credentials: await assumeRole(asTenants, { RoleArn: roleArn, RoleSessionName: dedicated, DurationSeconds: 900 }),
    },
    auditor: { tenantId: the.a, credentials: await test.auditor(the.a) },
  };
});

function holder(name: string): Holder {
  const found = holders[name];
  if (found === undefined) throw new Error(`There is no session ${name}.`);
  return found;
}

const rawEntries = async (tenantId: string): Promise<readonly Item[]> =>
  (await itemsOf(test.cloud, 'AttributionTable')).filter(({ pk }) => pk.S.startsWith(`TENANT#${tenantId}#`));

async function someEntry(tenantId: string): Promise<{ table: string; key: Pick<Item, 'pk' | 'sk'> }> {
  const [first] = await rawEntries(tenantId);
  if (first === undefined) throw new Error(`${tenantId} has no entry.`);
  return { table, key: { pk: first.pk, sk: first.sk } };
}

describe('E2 append-only by permission', () => {
  describe.each([...writing, 'auditor'])("a tenant's %s session", (name) => {
    it.each(entryChanges)('is refused $name, and the log stays as it is', async ({ call }) => {
      const { tenantId, credentials } = holder(name);
      const before = await rawEntries(tenantId);
      await expectDenied(test, credentials, call(await someEntry(tenantId)), isolation('DenyChangingAttribution'));
      expect(await rawEntries(tenantId)).toEqual(before);
    });
  });

  it.each(writing)("lets a tenant's %s session add an entry, but not a second time under the same key", async (name) => {
    const { tenantId, credentials } = holder(name);
    const { pk } = (await someEntry(tenantId)).key;
    const entry = { pk, sk: { S: `${ulid()}#INTENT` }, note: { S: 'as it was' } };
    await expectAllowed(test, credentials, ({ dynamodb }) => dynamodb.send(insertInto(table, entry)));
    const before = await rawEntries(tenantId);
    expect(before).toContainEqual(entry);
    const again = await test.attempt(credentials, ({ dynamodb }) => dynamodb.send(insertInto(table, { ...entry, note: { S: 'forged' } })));
    expect(again.error?.name).toBe('DuplicateItemException');
    expect(await rawEntries(tenantId)).toEqual(before);
    // An entry that is none of Cordon's would trouble its reader.
    await asRoot(test.cloud, 'dynamodb', 'DeleteItem', { TableName: table, Key: { pk: entry.pk, sk: entry.sk } });
  });

  it.each(writing)("refuses a tenant's %s session an entry in a neighbour's log", async (name) => {
    const { credentials } = holder(name);
    const { pk } = (await someEntry(the.b)).key;
    const before = await rawEntries(the.b);
    const forged = { pk, sk: { S: `${ulid()}#INTENT` }, credentialKey: { S: 'openai-main#' } };
    await expectDenied(test, credentials, ({ dynamodb }) => dynamodb.send(insertInto(table, forged)), isolation('DenyItemsOfOtherTenants'));
    expect(await rawEntries(the.b)).toEqual(before);
  });

  it.each(['', '#2026-01-01', '-2#2026-01-01', '\u0000#2026-01-01'])(
    'refuses an entry under a key that is its own only at first sight: own ID and %j',
    async (rest) => {
      const entry = { pk: { S: `TENANT#${rest.startsWith('#') ? the.a.slice(0, -1) : the.a}${rest}` }, sk: { S: `${ulid()}#INTENT` } };
      await expectDenied(
        test,
        the.sessions.writer,
        ({ dynamodb }) => dynamodb.send(insertInto(table, entry)),
        isolation('DenyItemsOfOtherTenants'),
      );
    },
  );

  it('refuses an auditor every entry', async () => {
    const entry = { pk: (await someEntry(the.a)).key.pk, sk: { S: `${ulid()}#INTENT` } };
    await expectDenied(test, holder('auditor').credentials, ({ dynamodb }) => dynamodb.send(insertInto(table, entry)), notGranted);
  });
});

describe('E1 a refusal is on record, with the one who tried', () => {
  it("records the read of a neighbour's secret as refused in the reader's own log, and nothing in the neighbour's", async () => {
    const ofB = await rawEntries(the.b);
    const read = { as: the.a, tenantId: the.b, credentialId: 'openai-main' };
    expect(await attributedRead(test.cloud, test.clients(the.sessions.reader), read)).toBe('ACCESS_REFUSED');
    expect(await lastUseOf(the.a)).toMatchObject({
      intent: { tenantId: the.a, operation: 'vault.read', credentialId: 'openai-main', context: { secret: `cordon/${the.b}/openai-main` } },
      outcome: { result: 'refused', code: 'ACCESS_REFUSED' },
    });
    expect(await rawEntries(the.b)).toEqual(ofB);
  });

  it("records the read of another user's secret as refused", async () => {
    const read = { as: the.a, tenantId: the.a, credentialId: 'openai-ana' };
    expect(await attributedRead(test.cloud, test.clients(the.sessions.ben), read)).toBe('ACCESS_REFUSED');
    expect(await lastUseOf(the.a)).toMatchObject({
      intent: { credentialId: 'openai-ana' },
      outcome: { result: 'refused', code: 'ACCESS_REFUSED' },
    });
    expect(await attributedRead(test.cloud, test.clients(the.sessions.ana), read)).toBe('succeeded');
    expect(await lastUseOf(the.a)).toMatchObject({ outcome: { result: 'succeeded' }, credentialVersion: the.secrets.ofAna.versionId });
  });

  it("reads nothing for one who would have it recorded in a neighbour's log", async () => {
    const ofB = await rawEntries(the.b);
    const since = test.cloud.journal.lastSeq;
    const read = { as: the.b, tenantId: the.b, credentialId: 'openai-main' };
    expect(await attributedRead(test.cloud, test.clients(the.sessions.reader), read)).toBe('ACCESS_REFUSED');
    expect(test.cloud.journal.since(since).map(({ action, decision }) => `${action} ${decision}`)).toEqual(['dynamodb:PartiQLInsert deny']);
    expect(await rawEntries(the.b)).toEqual(ofB);
  });
});

describe('E1 E2 who looks finds what is asked for, and only the own', () => {
  /** Uses whose names begin alike: what an index by prefix would mix up. */
  beforeAll(async () => {
    const deps = {
      store: storeFor(test, the.sessions.reader),
      clock: () => test.cloud.clock.now(),
      nextId: () => ulid(test.cloud.clock.now()),
    };
    const use = (credential: string, actor: Partial<Actor>): Promise<string> =>
      attributed(
        deps,
        {
          tenantId: tenantIdOf(the.a),
          actor: { function: 'test', ...actor },
          credentialId: credentialIdOf(credential),
          operation: 'key.use',
          context: {},
        },
        () => Promise.resolve({ value: credential }),
      );
    await use('openai-main', { sessionId: 's-1', userId: userIdFrom(the.ana) });
    await use('openai-main-2', { sessionId: 's-10' });
    await use('openai-main', { sessionId: 's-1#other', userId: userIdFrom(the.ben) });
  });

  const queries: readonly { name: string; index: string; of: () => AttributionQuery['of']; expected: () => readonly string[] }[] = [
    {
      name: 'credential',
      index: 'byCredential',
      of: () => ({ credentialId: credentialIdOf('openai-main') }),
      expected: () => ['provider.create-key', 'vault.store-secret', 'key.use', 'key.use'],
    },
    {
      name: 'credential that was used once',
      index: 'byCredential',
      of: () => ({ credentialId: credentialIdOf('openai-main-2') }),
      expected: () => ['key.use'],
    },
    {
      name: 'user',
      index: 'byUser',
      of: () => ({ userId: userIdFrom(the.ana) }),
      expected: () => ['provider.create-key', 'vault.store-secret', 'key.use'],
    },
    { name: 'session', index: 'bySession', of: () => ({ sessionId: 's-1' }), expected: () => ['key.use'] },
    {
      name: 'session whose name holds the delimiter',
      index: 'bySession',
      of: () => ({ sessionId: 's-1#other' }),
      expected: () => ['key.use'],
    },
  ];

  describe.each(['reader', 'auditor'])("with the tenant's %s session", (name) => {
    it.each(queries)(
      "finds a $name's entries through the local index, in order, each INTENT before its OUTCOME",
      async ({ index, of, expected }) => {
        const since = test.cloud.journal.lastSeq;
        const { credentials } = holder(name);
        const query = of();
        const found = (await entriesOf(test, credentials, the.a, query)).filter(({ operation }) => operation !== 'vault.read');
        expect(found.map(({ operation, kind }) => `${operation} ${kind}`)).toEqual(
          expected().flatMap((operation) => [`${operation} INTENT`, `${operation} OUTCOME`]),
        );
        for (const { credentialId, actor } of found) expect({ credentialId, ...actor }).toMatchObject({ ...query });
        const asked = test.cloud.journal.since(since).filter(({ action }) => action === 'dynamodb:Query');
        expect(new Set(asked.map(({ resource }) => resource.split('/').slice(1).join('/')))).toEqual(new Set([`${table}/index/${index}`]));
      },
    );

    it("finds all of the tenant's own entries and none of the neighbour's", async () => {
      const { credentials } = holder(name);
      const own = await entriesOf(test, credentials, the.a);
      expect(own.length).toBeGreaterThan(0);
      expect(own).toHaveLength((await rawEntries(the.a)).length);
      expect(new Set(own.map(({ tenantId }) => tenantId))).toEqual(new Set([the.a]));
    });

    it("is refused the neighbour's log, whole, by any index and by key", async () => {
      const { credentials } = holder(name);
      for (const of of [undefined, ...queries.map((query) => query.of())])
        await expect(entriesOf(test, credentials, the.b, of)).rejects.toMatchObject({ code: 'ACCESS_REFUSED' });
      const { key } = await someEntry(the.b);
      const get = new GetItemCommand({ TableName: table, Key: key });
      await expectDenied(test, credentials, ({ dynamodb }) => dynamodb.send(get), isolation('DenyItemsOfOtherTenants'));
    });
  });

  it('shows the log to no operator who is not its auditor', async () => {
    await expect(entriesOf(test, test.cloud.operator, the.a)).rejects.toMatchObject({ code: 'ACCESS_REFUSED' });
  });
});

async function lastUseOf(tenantId: string) {
  const entries = await entriesOf(test, holder('auditor').credentials, tenantId);
  return usesOf(entries, test.cloud.clock.now()).at(-1);
}
