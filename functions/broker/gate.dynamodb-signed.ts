import { aws } from '../shared/aws-errors.ts';
import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { plainItem } from '../shared/aws-signed-items.ts';
import { callJson, isRecord } from '../shared/aws-signed-json.ts';
import type { ConnectionStanding, Gate, GateQuestion, GateReading, Standing } from './gate.ts';
import { notUnderstood } from './not-understood.ts';
import { unavailable } from './unavailable.ts';

/** Some of these are reserved words. Source: DynamoDB Developer Guide, "Reserved words". */
const names = {
  '#sk': 'sk',
  '#status': 'status',
  '#epoch': 'epoch',
  '#version': 'version',
  '#rules': 'rulesVersion',
  '#secret': 'secretVersionId',
  '#diverted': 'diverted',
  '#revoked': 'revokedVersionIds',
  '#lifted': 'lifted',
};
const projection = Object.keys(names).join(', ');
/** Asked for only where a connection is. */
const connectionNames = { ...names, '#arn': 'roleArn', '#role': 'roleId', '#external': 'externalId', '#reason': 'statusReason' };
const connectionProjection = Object.keys(connectionNames).join(', ');

/** Ends in a delimiter that no tenant ID holds, or `acme` would be a prefix of `acme-2`. */
export function registryPartition(tenantId: string): string {
  return `TENANT#${tenantId}#`;
}

/**
 * @param credentials of a session of the tenant in question
 */
export function createSignedGate(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly table: string;
  readonly timeoutMs: number;
}): Gate {
  return {
    read: (question) =>
      unavailable(
        'GATE_UNAVAILABLE',
        'The registry could not be asked, so the call was not made. Try again.',
        { operation: 'dynamodb:BatchGetItem', resource: registryPartition(question.tenantId) },
        async () => {
          const answer = await aws('reading the gate', () =>
            callJson(deps.send, deps.credentials, operation(deps.timeoutMs), request(deps.table, question)),
          );
          return readingOf(answer, deps.table, question);
        },
      ),
  };
}

const operation = (timeoutMs: number) => ({ service: 'dynamodb', operation: 'BatchGetItem', timeoutMs }) as const;

function sortKeys({ userId, credentialId, agentId, sessionId, connectionId }: GateQuestion) {
  return {
    tenant: 'TENANT',
    user: `USER#${userId}`,
    /** Of somebody who has no item: who was revoked before they were onboarded, or never was. */
    buriedUser: `REVOKED#USER#${userId}`,
    credential: `CREDENTIAL#${credentialId}`,
    agent: agentId && `REVOKED#AGENT#${agentId}`,
    session: sessionId && `REVOKED#SESSION#${sessionId}`,
    connection: connectionId && `CONNECTION#${connectionId}`,
  };
}

function request(table: string, question: GateQuestion): object {
  const pk = { S: registryPartition(question.tenantId) };
  const Keys = Object.values(sortKeys(question)).flatMap((sk) => (sk ? [{ pk, sk: { S: sk } }] : []));
  const shown =
    question.connectionId === undefined
      ? { ProjectionExpression: projection, ExpressionAttributeNames: names }
      : { ProjectionExpression: connectionProjection, ExpressionAttributeNames: connectionNames };
  return { RequestItems: { [table]: { Keys, ConsistentRead: true, ...shown } } };
}

function readingOf(answer: Readonly<Record<string, unknown>>, table: string, question: GateQuestion): GateReading {
  const { Responses: responses, UnprocessedKeys: unprocessed } = answer;
  const found = isRecord(responses) ? responses[table] : undefined;
  // A key that was left out is not one without an item: nothing may be concluded.
  if (!Array.isArray(found) || (unprocessed !== undefined && !(isRecord(unprocessed) && Object.keys(unprocessed).length === 0)))
    notUnderstood();
  const items = new Map<unknown, Readonly<Record<string, unknown>>>();
  for (const one of found) {
    const item = plainItem(one);
    items.set(item['sk'], item);
  }
  const sk = sortKeys(question);
  const [tenant, user, credential] = [items.get(sk.tenant), items.get(sk.user), items.get(sk.credential)];
  return {
    tenant: tenant && { ...standingOf(tenant), rulesVersion: wholeNumber(tenant['rulesVersion']) },
    user: user ? { ...standingOf(user), version: wholeNumber(user['version']) } : buriedUser(items.get(sk.buriedUser)),
    credential: credential && {
      ...standingOf(credential),
      version: wholeNumber(credential['version']),
      secretVersionId: textOf(credential['secretVersionId']),
      diverted: credential['diverted'] === true,
      versionRevoked: isAmong(credential['revokedVersionIds'], credential['secretVersionId']),
    },
    agentRevoked: sk.agent ? items.has(sk.agent) : false,
    sessionRevoked: sk.session ? items.has(sk.session) : false,
    connection: sk.connection ? connectionOf(items.get(sk.connection)) : undefined,
  };
}

function connectionOf(item: Readonly<Record<string, unknown>> | undefined): ConnectionStanding | undefined {
  if (item === undefined) return undefined;
  const { statusReason: why } = item;
  return {
    ...standingOf(item),
    reason: isRecord(why) ? textOf(why['code']) : undefined,
    roleArn: textOf(item['roleArn']),
    roleId: textOf(item['roleId']),
    externalId: textOf(item['externalId']),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A suspension that was ended is as good as none. */
function buriedUser(tombstone: Readonly<Record<string, unknown>> | undefined): GateReading['user'] {
  return tombstone === undefined || tombstone['lifted'] === true ? undefined : { status: 'revoked', epoch: 0, version: 0 };
}

/** A list that is not understood refuses. */
function isAmong(list: unknown, id: unknown): boolean {
  if (list === undefined || id === undefined) return false;
  return Array.isArray(list) ? list.includes(id) : notUnderstood();
}

function standingOf(item: Readonly<Record<string, unknown>>): Standing {
  const { status } = item;
  return { status: typeof status === 'string' ? status : 'unknown', epoch: wholeNumber(item['epoch']) };
}

function wholeNumber(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : notUnderstood();
}
