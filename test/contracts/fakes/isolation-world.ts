/** A world in which the isolation tests are run without a cloud: two canaries, a broker and a provider in memory, sound unless something in it is spoiled. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { canaryCredentials, canaryIds } from '../../../functions/isolation/canaries.ts';
import type { ApplyDeps } from '../../../functions/isolation/verify/apply-verification-message.ts';
import type { Attempt, AttemptAnswer } from '../../../functions/isolation/verify/attempt.ts';
import type { BrokerAnswer, BrokerClient, LoggedUse } from '../../../functions/isolation/verify/broker-client.ts';
import { type RotationShown, restMs, type Verification, type VerificationStore } from '../../../functions/isolation/verify/verification.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId as tenantIdField } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createMemoryLog } from './memory-log.ts';
import { accountId } from './tenants-world.ts';

type Name = 'a' | 'b';

/** What may be wrong; nothing of it is, unless a test says so. */
export interface Spoiled {
  /** Attempts in canary A's session that are answered in another way. */
  answers?: (attempt: Attempt) => AttemptAnswer | undefined;
  /** The session can do nothing at all. */
  sessionIsDead?: boolean;
  identity?: CordonError;
  sharedAccount?: boolean;
  sharedLimit?: boolean;
  noLimitHeaders?: boolean;
  /** Refills so fast that nothing is to be seen. */
  hugeLimit?: boolean;
  provider?: number;
  /** What stands in whose log. */
  logs?: (use: LoggedUse & { readonly by: Name }, of: Name) => boolean;
  wrongCredentialInLog?: boolean;
  noOutcome?: boolean;
  servesAnyone?: boolean;
  tellsWhatExists?: boolean;
  believesHeader?: boolean;
  mintsForChangedTokens?: boolean;
  rotationChangesB?: boolean;
  rotationBreaksB?: boolean;
  rotationNeverEnds?: boolean;
}

export interface IsolationWorld {
  readonly deps: ApplyDeps;
  readonly spoiled: Spoiled;
  readonly announced: { readonly type: string; readonly detail: Record<string, unknown> }[];
  readonly requested: string[];
  readonly putAside: string[];
  readonly delayed: number[];
  readonly runs: Map<string, Verification>;
  readonly publicKey: string;
  advance(ms: number): void;
  /** What the last finished run found, by ID of the check. */
  found(): Readonly<Record<string, string>>;
  place(): { holder: string; until: number } | undefined;
  /** Lets the n-th write of a run from now on fail, as when the function dies there. */
  dieAtWrite(n: number): void;
}

const tokenOf = (name: Name): string =>
  ['e30', Buffer.from(JSON.stringify({ tenant_id: canaryIds[name] })).toString('base64url'), `signed-${name}`].join('.');

export function createIsolationWorld(): IsolationWorld {
  let now = Date.parse('2026-11-22T10:00:00Z');
  let dieAt = 0;
  let count = 0;
  const spoiled: Spoiled = {};
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const announced: IsolationWorld['announced'] = [];
  const requested: string[] = [];
  const putAside: string[] = [];
  const delayed: number[] = [];
  const runs = new Map<string, Verification>();
  let place: { holder: string; until: number } | undefined;
  let shown: RotationShown | undefined;
  const versions = { a: 'version-1', b: 'version-1' };
  const labels: { a: Record<string, string[]>; b: Record<string, string[]> } = {
    a: { 'version-1': ['AWSCURRENT'] },
    b: { 'version-1': ['AWSCURRENT'] },
  };
  const used = { a: 0, b: 0 };
  const log: (LoggedUse & { readonly by: Name })[] = [];
  let rotatesAt = Number.POSITIVE_INFINITY;

  const turn = (): void => {
    if (now < rotatesAt || spoiled.rotationNeverEnds === true) return;
    rotatesAt = Number.POSITIVE_INFINITY;
    versions.a = `version-${Number(versions.a.split('-')[1]) + 1}`;
    labels.a = { [versions.a]: ['AWSCURRENT'] };
    if (spoiled.rotationChangesB === true) labels.b = { 'version-9': ['AWSCURRENT'] };
  };

  const nameOf = (token: string): Name | undefined => (token === tokenOf('a') ? 'a' : token === tokenOf('b') ? 'b' : undefined);

  const broker: BrokerClient = {
    async use(token, { environment, marker, headers = {} }): Promise<BrokerAnswer> {
      turn();
      const by = nameOf(token?.reveal() ?? '') ?? (spoiled.servesAnyone === true ? 'b' : undefined);
      if (by === undefined) return { status: 401, code: 'TOKEN_REFUSED' };
      const own = environment === `canary-${by}`;
      if (!own && spoiled.servesAnyone !== true)
        return { status: 400, code: spoiled.tellsWhatExists === true && environment === 'canary-b' ? 'TENANT_MISMATCH' : 'NO_CREDENTIAL' };
      if (spoiled.provider !== undefined) return { status: spoiled.provider };
      if (by === 'b' && spoiled.rotationBreaksB === true && requested.length > 0) return { status: 401, code: 'invalid_api_key' };
      const runsAs = headers['x-amz-tenant-id'] !== undefined && spoiled.believesHeader === true ? 'b' : by;
      const project = spoiled.sharedLimit === true ? 'a' : by;
      used[project] += 1;
      count += 1;
      log.push({
        ...{ id: `01M8${String(count).padStart(22, '0')}`, by: runsAs, marker, outcome: 'succeeded' },
        ...{ credentialId: canaryCredentials[spoiled.wrongCredentialInLog === true ? 'b' : runsAs], credentialVersion: versions[runsAs] },
      });
      const limit = { limit: 60, remaining: spoiled.hugeLimit === true ? 59 : 60 - used[project] };
      return { status: 200, ...(spoiled.noLimitHeaders !== true && { limit }) };
    },
    async log(token) {
      const of = nameOf(token.reveal());
      return of && log.filter((use) => spoiled.logs?.(use, of) ?? use.by === of).map(({ by: _, ...use }) => use);
    },
  };

  const tryAs =
    (name: Name) =>
    async (attempt: Attempt): Promise<AttemptAnswer> => {
      turn();
      const planted = name === 'a' ? spoiled.answers?.(attempt) : undefined;
      if (planted !== undefined) return planted;
      if (spoiled.sessionIsDead === true && name === 'a' && attempt.operation !== 'DescribeSecret')
        return { kind: 'refused', code: 'AccessDenied' };
      const { operation, input } = attempt;
      const text = JSON.stringify(input);
      const result = (of: Record<string, unknown>): AttemptAnswer => ({ kind: 'allowed', result: of });
      const secret = `cordon/${canaryIds[name]}/${canaryCredentials[name]}`;
      if (text.includes(`"SecretId":"${secret}"`) && operation === 'DescribeSecret')
        return result({ ARN: `arn:aws:secretsmanager:us-east-1:${accountId}:secret:${secret}`, VersionIdsToStages: labels[name] });
      if (text === JSON.stringify({ SecretId: secret }) && operation === 'GetSecretValue') return result({});
      if (text.includes(`"S":"TENANT#${canaryIds[name]}#"}`) && operation === 'GetItem')
        return result({
          Item: text.includes('"TENANT"')
            ? { accounts: { M: { openai: { M: { accountId: { S: spoiled.sharedAccount === true ? 'proj' : `proj-${name}` } } } } } }
            : { secretVersionId: { S: versions[name] } },
        });
      if (text.includes(`"S":"TENANT#${canaryIds[name]}#2026-`) && operation === 'Query')
        return result({ Items: [{ kind: { S: 'INTENT' } }, ...(spoiled.noOutcome === true ? [] : [{ kind: { S: 'OUTCOME' } }])] });
      const isOwnRole = (role: string): boolean => text.includes(`role/cordon/${role}"`) && text.includes(`"Value":"${canaryIds[name]}"`);
      if (operation === 'AssumeRole' && ((isOwnRole('TenantReader') && text.includes('UserId')) || isOwnRole('ByocConnector')))
        return result({});
      return { kind: 'refused', code: 'AccessDeniedException' };
    };

  const store: VerificationStore = {
    run: async (tenantId, id) => runs.get(`${tenantId} ${id}`),
    async latest(tenantId, limit) {
      const own = [...runs.values()].filter((run) => run.tenantId === tenantId);
      return own.toSorted((x, y) => (x.startedAt < y.startedAt ? 1 : -1)).slice(0, limit);
    },
    async take(holder, at) {
      if (place !== undefined && place.until > at.now) return false;
      place = { holder, until: at.until };
      return true;
    },
    async release(holder) {
      if (place?.holder === holder) place = undefined;
    },
    async save(run) {
      dieAt -= 1;
      if (dieAt === 0) throw new CordonError('AWS_UNAVAILABLE', 'died here', { retryable: true });
      runs.set(`${run.tenantId} ${run.verificationId}`, run);
    },
    rotationShown: async () => shown,
    saveRotation: async (found) => {
      shown = found;
    },
  };

  const deps: ApplyDeps = {
    clock: () => now,
    pause: async (ms) => {
      now += ms;
      turn();
    },
    random: () => 0,
    log: createMemoryLog(),
    maxReceiveCount: 100,
    platformAccountId: accountId,
    inbox: {
      delay: async (_, seconds) => {
        delayed.push(seconds);
      },
      putAside: async (body) => {
        putAside.push(body);
      },
    },
    store,
    announcer: {
      announce: async (type, detail) => {
        announced.push({ type, detail });
      },
    },
    publish: async (type) => {
      requested.push(type);
      rotatesAt = Math.min(rotatesAt, now + 2000);
      return 'event';
    },
    signer: {
      keyArn: `arn:aws:kms:us-east-1:${accountId}:key/evidence`,
      publicKey: async () => pem,
      sign: async (text) => createSign('sha256').update(text).sign({ key: privateKey, dsaEncoding: 'der' }).toString('base64'),
    },
    identities: {
      async token(name) {
        if (spoiled.identity !== undefined) throw spoiled.identity;
        return new SecretText(tokenOf(name));
      },
      brokerUrl: async () => 'https://broker.example/v1',
    },
    openBroker: () => broker,
    async openSession(token) {
      const name = nameOf(token.reveal()) ?? (spoiled.mintsForChangedTokens === true ? 'b' : undefined);
      if (name === undefined) throw new CordonError('TOKEN_REFUSED', 'refused');
      return { tenantId: canaryIds[name], tryCall: tryAs(name) };
    },
    places: {
      ...{ partition: 'aws', region: 'us-east-1', accountId, registryTable: 'registry', attributionTable: 'attribution' },
      tenantKeyArn: `arn:aws:kms:us-east-1:${accountId}:key/tenants`,
    },
    deployment: { stack: 'Cordon', region: 'us-east-1', version: '0.1.0' },
  };

  return {
    ...{ deps, spoiled, announced, requested, putAside, delayed, runs, publicKey: pem },
    advance: (ms) => {
      now += ms;
      used.a = 0;
      used.b = 0;
    },
    found() {
      const last = [...runs.values()].findLast(({ status }) => status === 'finished');
      const { checks }: { checks: { id: string; outcome: string }[] } = JSON.parse(last?.result ?? '{"checks":[]}');
      return Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));
    },
    place: () => place,
    dieAtWrite(n) {
      dieAt = n;
    },
  };
}

export const acme = tenantIdField.parse('acme');
export const longEnough = restMs + 1000;
