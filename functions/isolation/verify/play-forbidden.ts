import { inParallel } from '../../shared/in-parallel.ts';
import type { Check, Service } from '../check.ts';
import { type AttemptAnswer, type Control, type ForbiddenAttempt, judged } from './attempt.ts';
import { forbiddenItemCalls } from './forbidden-items.ts';
import { forbiddenLists } from './forbidden-lists.ts';
import { forbiddenOnOwnSecret, forbiddenSecretCalls } from './forbidden-secrets.ts';
import { assumption, forbiddenKeyUse, forbiddenRoles } from './forbidden-sessions.ts';
import { forbiddenToAsked } from './forbidden-to-asked.ts';
import { attributionPartition, keyOf, registryPartition } from './places.ts';
import type { Canary, Stage } from './stage.ts';

/** Attempts at a time: far below every limit of AWS, and of the account's STS calls. */
const lanes = 4;

/** Tries everything that canary A's session must not be able to do, in an order in which what would change something comes last. */
export async function playForbidden(stage: Stage): Promise<readonly Check[]> {
  const { a, b, asked, places } = stage;
  const now = stage.clock();
  const attempts: readonly ForbiddenAttempt[] = [
    ...forbiddenLists(places, b.secret.name),
    ...forbiddenRoles(places, a.tenantId, b.tenantId),
    ...forbiddenKeyUse(places, a.tenantId, b.tenantId, b.secret.arn),
    ...forbiddenItemCalls(places, a.tenantId, b.tenantId, now),
    ...(asked === undefined ? [] : forbiddenToAsked(places, a.tenantId, asked, now)),
    ...forbiddenSecretCalls(a.tenantId, b.tenantId, b.secret),
    ...forbiddenOnOwnSecret(a.secret.name, b.tenantId),
  ];
  const controls = await controlsOf(stage, a, now);
  return inParallel(
    attempts,
    lanes,
    () => false,
    async (attempt) => judged(attempt, await a.tryCall(attempt), controls(attempt.for)),
  );
}

/** What the same session can do: each refusal is worth as much as the permission beside it. */
async function controlsOf({ places }: Stage, { tenantId, tryCall, secret }: Canary, now: number): Promise<(service: Service) => Control> {
  const { registryTable, attributionTable } = places;
  const shown = async (what: string, answer: Promise<AttemptAnswer>): Promise<Control> => {
    const { kind, ...rest } = await answer;
    return { works: kind === 'allowed', what, ...('code' in rest && { code: rest.code }) };
  };
  const assume = (input: object): Promise<AttemptAnswer> => tryCall({ service: 'sts', operation: 'AssumeRole', input });
  const own = attributionPartition(tenantId, now);
  const [vault, registry, attribution, sessions, roles] = await Promise.all([
    shown('reading its own secret', tryCall({ service: 'secretsmanager', operation: 'GetSecretValue', input: { SecretId: secret.name } })),
    shown(
      'reading its own registry item',
      tryCall({
        ...{ service: 'dynamodb', operation: 'GetItem' },
        input: { TableName: registryTable, Key: keyOf(registryPartition(tenantId), 'TENANT') },
      }),
    ),
    shown(
      'querying its own attribution log',
      tryCall({
        ...{ service: 'dynamodb', operation: 'Query' },
        input: {
          ...{ TableName: attributionTable, KeyConditionExpression: 'pk = :pk', Limit: 1 },
          ExpressionAttributeValues: { ':pk': { S: own } },
        },
      }),
    ),
    shown('becoming one of its own users', assume(asOwnUser(assumption(places, 'TenantReader', tenantId, tenantId)))),
    shown('taking the connecting role in its own name', assume(assumption(places, 'ByocConnector', tenantId, tenantId))),
  ]);
  const controls: Partial<Record<Service, Control>> = { registry, attribution, sessions, 'customer-roles': roles };
  // The key of a secret is used by reading it.
  return (service) => controls[service] ?? vault;
}

/** A user nobody has; the session is named as every session is. */
function asOwnUser(input: { readonly Tags: readonly object[]; readonly RoleSessionName: string }): object {
  const user = 'a'.repeat(26);
  return { ...input, RoleSessionName: `${input.RoleSessionName}.${user}`, Tags: [...input.Tags, { Key: 'UserId', Value: user }] };
}
