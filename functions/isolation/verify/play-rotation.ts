import { z } from 'zod';
import { canaryEnvironments } from '../canaries.ts';
import type { Check } from '../check.ts';
import type { BrokerAnswer, LoggedUse } from './broker-client.ts';
import { keyOf, registryPartition } from './places.ts';
import { loggedUse, notUsed } from './play-usage-log.ts';
import { awaited, type Canary, type Played, type Stage } from './stage.ts';

/** A key is made, tried and in force within seconds; with a provider that is slow, within this time. */
const patience = { timeoutMs: 150_000, everyMs: 500 };

/** A rotation that was asked for, and what was in force then: written down first, so that a run after a crash goes on with it instead of asking for another. */
export interface AskedRotation {
  readonly versionBefore: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface RotationDeps {
  /** The one that an earlier attempt of this run has asked for. */
  readonly begun: AskedRotation | undefined;
  /** Writes it down. */
  begin(asked: AskedRotation): Promise<void>;
  request(): Promise<void>;
}

/** Rotates canary A's key: nothing of canary B changes, no call of B fails meanwhile, and A's log shows the new version. */
export async function playRotation(stage: Stage, marker: string, deps: RotationDeps): Promise<Played> {
  const { a, b, broker } = stage;
  const labelsBefore = await labelsOf(b);
  const callB = (what: string): Promise<BrokerAnswer> =>
    broker.use(b.token, { environment: canaryEnvironments.b, marker: `${marker}-rotation-b-${what}` });
  const first = await callB('before');
  const current = await versionInForce(stage, a);
  if (first.status !== 200 || labelsBefore === undefined || current === undefined)
    return notPlayed(first.status === 200 ? 'The canaries’ credentials could not be read.' : notUsed(b.tenantId, first));
  const before = deps.begun?.versionBefore ?? current;
  if (deps.begun === undefined) await deps.begin({ versionBefore: before, at: stage.clock() });
  // Asking once more, after a crash in between, is no second rotation: one is under way.
  if (current === before) await deps.request();
  const meanwhile: BrokerAnswer[] = [first];
  const after = await awaited(stage, patience, async () => {
    meanwhile.push(await callB(String(meanwhile.length)));
    const version = await versionInForce(stage, a);
    return version === before ? undefined : version;
  });
  if (after === undefined) return notPlayed('Canary A’s new key did not come into force in time: see the rotation’s own alarms.');
  meanwhile.push(await callB('after'));
  const use = await usedWith(stage, marker, after);
  return {
    checks: [ownLogShows(a, use, after), othersUnchanged(b, labelsBefore, await labelsOf(b)), noneFailed(b, meanwhile)],
    uses: use === undefined ? [] : [{ tenantId: a.tenantId, id: use.id }],
  };
}

function check(id: string, outcome: Check['outcome'], detail: string): Check {
  return { id: `rotation-independence/${id}`, test: 'rotation-independence', service: 'rotation', outcome, detail };
}

const names = ['new-version-used', 'others-unchanged', 'others-served'] as const;

function notPlayed(why: string): Played {
  return { checks: names.map((name) => check(name, 'not-verified', why)), uses: [] };
}

const credential = z.object({ Item: z.object({ secretVersionId: z.object({ S: z.string() }) }) });

/** As the registry says, read in the canary's own session. */
async function versionInForce({ places }: Stage, { tenantId, credentialId, tryCall }: Canary): Promise<string | undefined> {
  const Key = keyOf(registryPartition(tenantId), `CREDENTIAL#${credentialId}`);
  const input = { TableName: places.registryTable, Key, ConsistentRead: true };
  const answer = await tryCall({ service: 'dynamodb', operation: 'GetItem', input });
  return answer.kind === 'allowed' ? credential.safeParse(answer.result).data?.Item.secretVersionId.S : undefined;
}

/** Which label stands on which version of the canary's secret. */
async function labelsOf({ tryCall, secret }: Canary): Promise<string | undefined> {
  const answer = await tryCall({ service: 'secretsmanager', operation: 'DescribeSecret', input: { SecretId: secret.name } });
  if (answer.kind !== 'allowed') return undefined;
  const parsed = z.record(z.string(), z.array(z.string())).safeParse(answer.result['VersionIdsToStages']);
  if (!parsed.success) return undefined;
  return Object.entries(parsed.data)
    .map(([version, labels]) => `${version}: ${labels.toSorted().join(' ')}`)
    .toSorted()
    .join(', ');
}

/** A use of canary A with the version that has come into force; the latest one otherwise. */
async function usedWith(stage: Stage, marker: string, version: string): Promise<LoggedUse | undefined> {
  let last: LoggedUse | undefined;
  for (let n = 0; n < 5 && last?.credentialVersion !== version; n += 1) {
    const name = `${marker}-rotation-a-${n}`;
    const { status } = await stage.broker.use(stage.a.token, { environment: canaryEnvironments.a, marker: name });
    if (status === 200) last = await loggedUse(stage, stage.a, name);
  }
  return last;
}

function ownLogShows({ tenantId }: Canary, use: LoggedUse | undefined, version: string): Check {
  if (use === undefined) return check('new-version-used', 'not-verified', `No use by ${tenantId} succeeded after its key was rotated.`);
  return use.credentialVersion === version
    ? check('new-version-used', 'passed', `${tenantId}’s log names the new version ${version} with its next use, entry ${use.id}.`)
    : check(
        'new-version-used',
        'failed',
        `The version in force is ${version}, and ${tenantId}’s log names ${use.credentialVersion ?? 'none'} with use ${use.id}.`,
      );
}

function othersUnchanged({ tenantId }: Canary, before: string, after: string | undefined): Check {
  if (after === undefined) return check('others-unchanged', 'not-verified', `The versions of ${tenantId} could not be read afterwards.`);
  return before === after
    ? check('others-unchanged', 'passed', `The versions of ${tenantId}’s secret and their labels are as they were.`)
    : check('others-unchanged', 'failed', `Rotating canary A’s key has changed ${tenantId}’s versions: ${before} before, ${after} after.`);
}

/** A provider that is down or slow, or a token that is over, says nothing about isolation; a key that is not accepted any more does. */
function noneFailed({ tenantId }: Canary, answers: readonly BrokerAnswer[]): Check {
  const bad = answers.filter(({ status }) => status !== 200);
  const refused = bad.find(isRefusal);
  const worst = refused ?? bad[0];
  if (worst === undefined)
    return check('others-served', 'passed', `${answers.length} calls of ${tenantId} meanwhile succeeded, all of them.`);
  const outcome = refused === undefined ? 'not-verified' : 'failed';
  const how = `HTTP ${worst.status} ${worst.code ?? ''}`.trim();
  return check('others-served', outcome, `${bad.length} of ${answers.length} calls of ${tenantId} meanwhile did not succeed: ${how}.`);
}

function isRefusal({ status, code }: BrokerAnswer): boolean {
  return status >= 400 && status < 500 && status !== 429 && code?.startsWith('TOKEN_') !== true;
}
