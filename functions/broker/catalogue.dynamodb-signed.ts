import type { CredentialSettings } from '../providers/egress-adapter.ts';
import { aws } from '../shared/aws-errors.ts';
import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { plainItem } from '../shared/aws-signed-items.ts';
import { callJson, isRecord } from '../shared/aws-signed-json.ts';
import { CordonError } from '../shared/errors.ts';
import { type CredentialId, isCredentialId, isUserId, type TenantId, type UserId } from '../shared/identifiers.ts';
import type { CatalogueStore, CredentialFacts, Match, Rule, Rules } from './catalogue.ts';
import { registryPartition } from './gate.dynamodb-signed.ts';
import { notUnderstood } from './not-understood.ts';
import { unavailable } from './unavailable.ts';

type Item = Readonly<Record<string, unknown>>;

/**
 * @param credentials of a session of the tenant
 */
export function createSignedCatalogueStore(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly table: string;
  readonly tenantId: TenantId;
  readonly timeoutMs: number;
}): CatalogueStore {
  const pk = { S: registryPartition(deps.tenantId) };
  const call = (operation: string, input: object): Promise<Item> =>
    aws('reading the registry', () =>
      callJson(
        deps.send,
        deps.credentials,
        { service: 'dynamodb', operation, timeoutMs: deps.timeoutMs },
        { TableName: deps.table, ConsistentRead: true, ...input },
      ),
    );
  const asked = <Value>(operation: string, work: () => Promise<Value>): Promise<Value> =>
    unavailable(
      'GATE_UNAVAILABLE',
      'The registry could not be read, so the call was not made. Try again.',
      { operation: `dynamodb:${operation}`, resource: pk.S },
      work,
    );

  return {
    async rules() {
      const found = await asked('GetItem', async () => {
        const { Item: item } = await call('GetItem', {
          Key: { pk, sk: { S: 'TENANT' } },
          ProjectionExpression: '#rules, #version',
          ExpressionAttributeNames: { '#rules': 'rules', '#version': 'rulesVersion' },
        });
        return isRecord(item) ? rulesOf(plainItem(item)) : undefined;
      });
      if (found === undefined) throw new CordonError('TENANT_NOT_ACTIVE', 'The tenant is not active.');
      return found;
    },

    credentials: () =>
      asked('Query', async () => {
        const found: CredentialFacts[] = [];
        let next: unknown;
        do {
          const page = await call('Query', {
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
            ExpressionAttributeValues: { ':pk': pk, ':sk': { S: 'CREDENTIAL#' } },
            ...(isRecord(next) && { ExclusiveStartKey: next }),
          });
          for (const item of Array.isArray(page['Items']) ? page['Items'] : []) found.push(factsOf(plainItem(item), deps.tenantId));
          next = page['LastEvaluatedKey'];
        } while (next !== undefined);
        return found;
      }),
  };
}

function rulesOf({ rules, rulesVersion }: Item): Rules {
  if (!Array.isArray(rules) || typeof rulesVersion !== 'number') return notUnderstood();
  return { rulesVersion, rules: rules.map(ruleOf) };
}

function ruleOf(rule: unknown): Rule {
  const { match, use, backup } = isRecord(rule) ? rule : {};
  return {
    match: matchOf(isRecord(match) ? match : {}),
    use: credentialIdOf(use),
    backup: backup === undefined ? undefined : credentialIdOf(backup),
  };
}

function factsOf(item: Item, tenantId: TenantId): CredentialFacts {
  const { source, userId, dataClasses, settings } = item;
  if (source !== 'platform-issued' && source !== 'customer-supplied' && source !== 'federated' && source !== 'customer-role')
    return notUnderstood();
  return {
    ...matchOf(item),
    credentialId: credentialIdOf(item['credentialId']),
    source,
    connectionId: connectionIdOf(item['connectionId']),
    userId: userIdOf(userId),
    ...(item['tenantId'] !== tenantId && { strayFrom: textOf(item['tenantId']) ?? 'nobody' }),
    dataClasses: Array.isArray(dataClasses) ? dataClasses.filter((one) => typeof one === 'string') : [],
    settings: settingsOf(settings),
  };
}

function matchOf(item: Item): Match {
  const { provider, environment, useCase, team, labels } = item;
  if (typeof provider !== 'string' || typeof environment !== 'string') return notUnderstood();
  return { provider, environment, useCase: textOf(useCase), team: textOf(team), labels: textsOf(labels) };
}

function credentialIdOf(value: unknown): CredentialId {
  return typeof value === 'string' && isCredentialId(value) ? value : notUnderstood();
}

/** Becomes part of a key. */
function connectionIdOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' && /^\d{12}$/.test(value) ? value : notUnderstood();
}

function userIdOf(value: unknown): UserId | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' && isUserId(value) ? value : notUnderstood();
}

/** An owner, a use case or a label that is not understood must not be taken for none. */
function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : notUnderstood();
}

function textsOf(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) return notUnderstood();
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, typeof text === 'string' ? text : notUnderstood()]));
}

/** The adapters check what they need of it. */
function settingsOf(value: unknown): CredentialSettings {
  if (value === undefined) return {};
  if (!isRecord(value)) return notUnderstood();
  const { port, regions, services, ...texts } = value;
  return {
    ...textsOf(texts),
    ...(typeof port === 'number' && { port }),
    ...(regions !== undefined && { regions: wordsOf(regions) }),
    ...(services !== undefined && { services: wordsOf(services) }),
  };
}

function wordsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return notUnderstood();
  return value.map((word) => (typeof word === 'string' ? word : notUnderstood()));
}
