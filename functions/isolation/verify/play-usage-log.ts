import { canaryEnvironments } from '../canaries.ts';
import type { Check, Service } from '../check.ts';
import type { BrokerAnswer, LoggedUse } from './broker-client.ts';
import { attributionPartition } from './places.ts';
import { awaited, type Canary, type Played, type Stage } from './stage.ts';

/** An outcome is written when the answer is through, which may be a moment after the caller has it. */
const patience = { timeoutMs: 10_000, everyMs: 250 };

/** A use in canary A's name has to stand in A's log, with A's key, its intent and its outcome, and in no other's. */
export async function playUsageLog(stage: Stage, marker: string): Promise<Played> {
  const { a, b, broker } = stage;
  const markers = { a: `${marker}-log-a`, b: `${marker}-log-b`, header: `${marker}-log-header` };
  const byA = await broker.use(a.token, { environment: canaryEnvironments.a, marker: markers.a });
  await broker.use(b.token, { environment: canaryEnvironments.b, marker: markers.b });
  // The one header by which the broker's runtime is chosen: whatever a client writes there has to be without effect.
  const asB = await broker.use(a.token, {
    ...{ environment: canaryEnvironments.a, marker: markers.header },
    headers: { 'x-amz-tenant-id': b.tenantId },
  });
  const [ofA, ofB, ofHeader] = [
    await loggedUse(stage, a, markers.a),
    await loggedUse(stage, b, markers.b),
    await loggedUse(stage, a, markers.header),
  ];
  const [logA, logB] = [await broker.log(a.token), await broker.log(b.token)];
  const checks = [
    inOwnLog(a, byA, ofA),
    await twoEntries(stage, ofA),
    inNoOther('not-in-other', `${b.tenantId}’s log holds no use of ${a.tenantId}`, {
      own: ofB,
      log: logB,
      absent: [ofA],
      marker: markers.a,
    }),
    inNoOther('not-in-own', `${a.tenantId}’s log holds no use of ${b.tenantId}`, { own: ofA, log: logA, absent: [ofB], marker: markers.b }),
    headerIgnored(stage, asB, ofHeader, logB, markers.header),
  ];
  const uses = [
    ...[ofA, ofHeader].flatMap((use) => (use === undefined ? [] : [{ tenantId: a.tenantId, id: use.id }])),
    ...(ofB === undefined ? [] : [{ tenantId: b.tenantId, id: ofB.id }]),
  ];
  return { checks, uses };
}

/** The one use of a canary with this marker, once it has ended. */
export function loggedUse(stage: Stage, { token }: Canary, marker: string): Promise<LoggedUse | undefined> {
  return awaited(stage, patience, async () =>
    (await stage.broker.log(token))?.find((use) => use.marker === marker && use.outcome !== 'pending'),
  );
}

function check(id: string, outcome: Check['outcome'], detail: string, service: Service = 'attribution'): Check {
  return { id: `usage-log-attribution/${id}`, test: 'usage-log-attribution', service, outcome, detail };
}

function inOwnLog({ tenantId, credentialId }: Canary, answer: BrokerAnswer, use: LoggedUse | undefined): Check {
  if (answer.status !== 200) return check('in-own-log', 'not-verified', notUsed(tenantId, answer));
  if (use === undefined) return check('in-own-log', 'failed', `A use by ${tenantId} succeeded, and its log does not have it.`);
  const isRight = use.credentialId === credentialId && use.credentialVersion !== undefined && use.outcome === 'succeeded';
  const found = `entry ${use.id}: credential ${use.credentialId ?? 'none'}, version ${use.credentialVersion ?? 'none'}, ${use.outcome}`;
  return isRight
    ? check('in-own-log', 'passed', `A use by ${tenantId} stands in its own log: ${found}.`)
    : check('in-own-log', 'failed', `A use by ${tenantId} with its own credential ${credentialId} stands in its log as another: ${found}.`);
}

/** As they lie in the table, read in the canary's own session. */
async function twoEntries({ a, places, clock }: Stage, use: LoggedUse | undefined): Promise<Check> {
  if (use === undefined) return check('intent-and-outcome', 'not-verified', 'There is no use to look at.');
  const { attributionTable: TableName } = places;
  const kinds = new Set<string>();
  for (const at of [clock(), clock() - dayMs]) {
    const answer = await a.tryCall({
      ...{ service: 'dynamodb', operation: 'Query' },
      input: {
        ...{ TableName, ConsistentRead: true, KeyConditionExpression: 'pk = :pk AND begins_with(sk, :id)' },
        ExpressionAttributeValues: { ':pk': { S: attributionPartition(a.tenantId, at) }, ':id': { S: use.id } },
        ...{ ProjectionExpression: '#kind', ExpressionAttributeNames: { '#kind': 'kind' } },
      },
    });
    if (answer.kind !== 'allowed') return check('intent-and-outcome', 'not-verified', `The log could not be read: ${answer.code}.`);
    for (const kind of ['INTENT', 'OUTCOME']) if (JSON.stringify(answer.result).includes(`"${kind}"`)) kinds.add(kind);
  }
  return kinds.size === 2
    ? check('intent-and-outcome', 'passed', `Entry ${use.id} has its INTENT and its OUTCOME.`)
    : check(
        'intent-and-outcome',
        'failed',
        `Entry ${use.id} has ${kinds.size === 0 ? 'neither INTENT nor OUTCOME' : `only ${[...kinds].join(' and ')}`}.`,
      );
}

const dayMs = 86_400_000;

interface Elsewhere {
  /** The reader's own use: what shows that its log is read, and up to date. */
  readonly own: LoggedUse | undefined;
  readonly log: readonly LoggedUse[] | undefined;
  readonly absent: readonly (LoggedUse | undefined)[];
  readonly marker: string;
}

function inNoOther(id: string, what: string, { own, log, absent, marker }: Elsewhere): Check {
  const ids = new Set(absent.map((use) => use?.id));
  const found = (log ?? []).find((use) => use.marker === marker || ids.has(use.id));
  if (found !== undefined) return check(id, 'failed', `It is not so that ${what}: entry ${found.id}.`);
  if (log === undefined || own === undefined || absent.includes(undefined))
    return check(id, 'not-verified', `Whether ${what} could not be seen: a log or a use is missing.`);
  return check(id, 'passed', `${what.charAt(0).toUpperCase()}${what.slice(1)}; the log was up to date, it holds its own use ${own.id}.`);
}

function headerIgnored(
  { a, b }: Stage,
  answer: BrokerAnswer,
  use: LoggedUse | undefined,
  logB: readonly LoggedUse[] | undefined,
  marker: string,
): Check {
  const it = (outcome: Check['outcome'], detail: string): Check => check('tenant-header', outcome, detail, 'broker');
  const said = `A call with the token of ${a.tenantId} that names ${b.tenantId} as its tenant in a header`;
  if (logB?.some((entry) => entry.marker === marker) === true) return it('failed', `${said} ran as ${b.tenantId}.`);
  if (answer.status >= 400 && answer.status < 500) return it('passed', `${said} was refused with HTTP ${answer.status}.`);
  if (answer.status !== 200 || logB === undefined) return it('not-verified', notUsed(a.tenantId, answer));
  return use?.credentialId === a.credentialId
    ? it('passed', `${said} ran as ${a.tenantId}: entry ${use.id}.`)
    : it('failed', `${said} was answered, and stands in the log of ${a.tenantId} not as its own.`);
}

/** Why a test that rests on a use has none. */
export function notUsed(tenantId: string, { status, code }: BrokerAnswer): string {
  const what = status === 0 ? 'nothing' : `HTTP ${status}${code === undefined ? '' : ` ${code}`}`;
  return `A use by ${tenantId} was answered with ${what}: there is nothing to judge by.`;
}
