import { describe, expect, it } from 'vitest';
import { decideHoney, likelyDecoys } from '../../../functions/isolation/honey/decide-honey.ts';
import { likelyDecoysIn, looksLikeDecoy, maxNamesTold } from '../../../functions/isolation/honey/decoy-shape.ts';
import { decoysOf, decoyValue, decoyVersionId } from '../../../functions/isolation/honey/decoys.ts';
import { type EndTouchedDeps, endTouched } from '../../../functions/isolation/honey/end-touched.ts';
import { likelyDecoyNamed } from '../../../functions/isolation/honey/events.ts';
import { namedInRequest } from '../../../functions/isolation/honey/named-in-request.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { isCredentialId } from '../../../functions/shared/identifiers.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { account, onSecret, person, record, refused, session, user } from './trail-records.ts';

const key = new SecretText('k'.repeat(64));
const otherKey = new SecretText('o'.repeat(64));
const acme = tenantId.parse('acme');
const globex = tenantId.parse('globex');
const [first, ...others] = decoysOf(key, acme);
if (first === undefined) throw new Error('there are no decoys');
const arn = `arn:aws:secretsmanager:us-east-1:${account}:secret:`;

describe('T6 the names of decoys', () => {
  it('are the same each time, others for each tenant, and unknown without the key', () => {
    expect(decoysOf(key, acme)).toEqual([first, ...others]);
    const all = [...decoysOf(key, acme), ...decoysOf(key, globex), ...decoysOf(otherKey, acme)].map(({ credentialId }) => credentialId);
    expect(new Set(all).size).toBe(9);
  });

  it('are credential IDs like any other', () => {
    for (const { credentialId, secretName } of [first, ...others]) {
      expect(isCredentialId(credentialId)).toBe(true);
      expect(looksLikeDecoy(credentialId)).toBe(true);
      expect(secretName).toBe(`cordon/acme/${credentialId}`);
    }
  });

  it.each([
    'openai-backup',
    'openai-main',
    'openai-backup-1234567',
    'openai-backup-abcdefg1',
    'xopenai-backup-abcdefgh',
    'openai-backup-abcdefghi',
    '',
  ])('%s is none', (name) => {
    expect(looksLikeDecoy(name)).toBe(false);
  });

  it('hold values of the providers’ own forms, which are the same each time', () => {
    const values = [first, ...others].map((decoy) => decoyValue(key, acme, decoy).reveal());
    expect(values).toEqual([
      expect.stringMatching(/^sk-proj-[a-z2-7]{156}$/),
      expect.stringMatching(/^sk-ant-api03-[a-z2-7]{93}AA$/),
      expect.stringMatching(/^postgresql:\/\/app:[a-z2-7]{24}@db-replica\.invalid:5432\/app$/),
    ]);
    expect([first, ...others].map((decoy) => decoyValue(key, acme, decoy).reveal())).toEqual(values);
    expect(decoyValue(key, globex, first).reveal()).not.toBe(values[0]);
    expect(decoyVersionId(key, acme, first)).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('T6 the names in a call', () => {
  const name = 'openai-backup-abcdefgh';

  it.each([
    name,
    `team=blue,${name}`,
    `cordon/acme/${name}`,
    `{"scope":"credential","credentialId":"${name}"}`,
    `arn:aws:secretsmanager:us-east-1:${account}:secret:cordon/acme/${name}?x`,
  ])('are found in %s', (text) => {
    expect(likelyDecoysIn(['nothing', text, text])).toEqual([name]);
  });

  it.each([`${name}9`, `x${name}`, `x-${name}`, `${name}-x`, 'openai-backup', ''])('are not in %j', (text) => {
    expect(likelyDecoysIn([text])).toEqual([]);
  });

  it.each<[where: string, event: Parameters<typeof namedInRequest>[0]]>([
    ['the path', { pathParameters: { credentialId: name } }],
    ['the query', { queryStringParameters: { credential: name } }],
    ['the query, where it is there twice', { multiValueQueryStringParameters: { credential: ['main', name] } }],
    ['the body', { body: JSON.stringify({ credentialId: name }) }],
    ['the body in base64', { body: Buffer.from(JSON.stringify({ credentialId: name })).toString('base64'), isBase64Encoded: true }],
    ['the body, written in another way', { body: `{"credentialId":"\\u006fpenai-backup\\u002dabcdefgh"}` }],
    ['a body that is no JSON', { body: `${name}}` }],
  ])('are found in %s of a request', (_, event) => {
    expect(namedInRequest(event)).toEqual([name]);
  });

  it('are none where nothing is sent', () => {
    expect(namedInRequest({})).toEqual([]);
    expect(
      namedInRequest({ body: null, pathParameters: null, queryStringParameters: null, multiValueQueryStringParameters: null }),
    ).toEqual([]);
  });

  it('are all that a request has room for, so that none hides behind others', () => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz234567'];
    const many = letters.flatMap((one) => letters.map((other) => `openai-backup-abcdef${one}${other}`));
    const found = namedInRequest({ queryStringParameters: { credential: name }, body: many.join(' ') });
    expect(found).toEqual(expect.arrayContaining([...many, name]));
    expect(likelyDecoyNamed.shape.names.safeParse(found).success).toBe(true);
    // The largest body that is looked at, and parameters beside it, as large as API Gateway takes headers and paths.
    expect((32 * 1024 + 10_240) / `${name} `.length).toBeLessThan(maxNamesTold);
  });
});

describe('T6 CloudTrail names a decoy', () => {
  const found = (of: ReturnType<typeof record>) =>
    decideHoney(of, likelyDecoys(of), key, account).map(({ code, tenantId: of }) => [code, of]);
  const touched = [['HONEY_TOUCHED', 'acme']];

  it.each<[what: string, identity: object]>([
    ['the tenant’s own session', session('TenantReader', 'acme')],
    ['another tenant’s', session('TenantReader', 'globex')],
    ['a person', person],
    ['the pool’s writer', session('TenantWriter', 'acme')],
    ['a dedicated tenant’s reader', session('TenantAgent-acme', 'acme')],
    ['another dedicated tenant’s writer', session('TenantAgent-globex.writer', 'globex')],
  ])('and %s has asked for it, refused or not', (_, identity) => {
    expect(found(onSecret('GetSecretValue', first.secretName, identity))).toEqual(touched);
    expect(found(onSecret('DescribeSecret', `${arn}${first.secretName}-AbCdEf`, identity, refused))).toEqual(touched);
    expect(found(onSecret('DeleteSecret', first.secretName, identity))).toEqual(touched);
    expect(found(onSecret('GetSecretValue', first.secretName, identity, { errorCode: 'ResourceNotFoundException' }))).toEqual(touched);
  });

  it('in the message of a refusal', () => {
    const errorMessage = `User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${first.secretName} because …`;
    expect(found(record('secretsmanager', 'GetSecretValue', { ...refused, errorMessage }))).toEqual(touched);
  });

  it('but it is Cordon, which makes a dedicated tenant’s decoys and takes them away', () => {
    const keeper = session('TenantAgent-acme.writer', 'acme');
    expect(
      found(record('secretsmanager', 'CreateSecret', { userIdentity: keeper, requestParameters: { name: first.secretName } })),
    ).toEqual([]);
    expect(found(onSecret('PutSecretValue', first.secretName, keeper))).toEqual([]);
    expect(found(onSecret('DeleteSecret', first.secretName, keeper))).toEqual([]);
    expect(found(onSecret('GetSecretValue', first.secretName, keeper))).toEqual(touched);
  });

  it('and does not ask for the key otherwise', () => {
    expect(likelyDecoys(onSecret('GetSecretValue', 'cordon/acme/openai-main', person))).toEqual([]);
    // It looks like one, and is another tenant's name, or nobody's.
    expect(found(onSecret('GetSecretValue', `cordon/globex/${first.credentialId}`, person))).toEqual([]);
    expect(found(onSecret('GetSecretValue', 'cordon/acme/openai-backup-aaaaaaaa', person))).toEqual([]);
  });
});

describe('T6 a call through the broker names a decoy', () => {
  const named = (more: object = {}) =>
    likelyDecoyNamed.parse({ version: 1, tenantId: 'acme', userId: user, names: ['openai-backup-aaaaaaaa', first.credentialId], ...more });

  async function outcomeOf(event: ReturnType<typeof named>) {
    const published: [string, object][] = [];
    const told: [string, object][] = [];
    let reads = 0;
    const deps: EndTouchedDeps = {
      announcer: { announce: async (type, detail) => void told.push([type, detail]) },
      async publish(type, detail) {
        published.push([type, detail]);
        return 'e1';
      },
      async honeyKey() {
        reads += 1;
        return key;
      },
    };
    await endTouched(deps, event, 'e0');
    return { published, told, reads };
  }
  const common = { version: 1, tenantId: 'acme', requestedBy: 'detector:honey', reason: 'a decoy was named in a call' };

  it.each([
    ['its session', { agentId: 'a1', sessionId: 's1' }, ['RevocationRequested', { ...common, scope: 'session', sessionId: 's1' }]],
    ['its agent, where it has no session', { agentId: 'a1' }, ['RevocationRequested', { ...common, scope: 'agent', agentId: 'a1' }]],
    ['nothing for good, where it is a user’s only', {}, ['AccessSuspended', { ...common, scope: 'user', userId: user }]],
  ])('and ends %s', async (_, who, wish) => {
    const { published, told } = await outcomeOf(named(who));
    expect(published).toEqual([wish]);
    expect(told).toEqual([
      [
        'IsolationViolationDetected',
        expect.objectContaining({
          tenantId: 'acme',
          reason: { code: 'HONEY_TOUCHED', message: expect.stringContaining(first.credentialId) },
        }),
      ],
    ]);
  });

  it('of another tenant, or none at all, and nothing happens', async () => {
    expect(await outcomeOf(named({ tenantId: 'globex' }))).toMatchObject({ published: [], told: [] });
    expect(await outcomeOf(named({ names: ['openai-backup-aaaaaaaa'] }))).toMatchObject({ published: [], told: [] });
    expect(await outcomeOf(named({ names: ['openai-main'] }))).toEqual({ published: [], told: [], reads: 0 });
  });
});
