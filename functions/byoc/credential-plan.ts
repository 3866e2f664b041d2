import { credentialId } from '../shared/identifier-fields.ts';
import type { CredentialId } from '../shared/identifiers.ts';
import type { RoutingRule, StoredCredential, Tier } from '../tenants/credential-spec.ts';
import type { CredentialItem, NewCredential, TenantItem } from '../tenants/registry.ts';
import type { Connection } from './connection.ts';

type Asked = Pick<Connection, 'tenantId' | 'customerAccountId' | 'services' | 'regions' | 'environment' | 'dataClasses' | 'requestedBy'>;

/**
 * The credentials a connection stands for: one per region for Bedrock, whose callers name a model and not a region, and one for all other services together. Nothing
 * is stored for them: a use opens the customer's role.
 */
export function plannedCredentials(item: Asked, tier: Tier): NewCredential[] {
  const { customerAccountId: account, regions, environment, dataClasses } = item;
  const others = item.services.filter((service) => service !== 'bedrock');
  const common = {
    kind: 'CREDENTIAL',
    tenantId: item.tenantId,
    tier,
    source: 'customer-role',
    connectionId: account,
    environment,
    ...(dataClasses !== undefined && { dataClasses }),
    status: 'recorded',
    requestedBy: item.requestedBy,
    announced: true,
    epoch: 0,
    attempt: 0,
    leaseUntil: 0,
    secretMayExist: false,
  } as const;
  const bedrock = item.services.includes('bedrock') ? regions : [];
  return [
    ...bedrock.map((region) => ({
      ...common,
      credentialId: idOf(`aws-${account}-bedrock-${region}`),
      provider: 'bedrock' as const,
      settings: { region },
      ...(bedrock.length > 1 && { labels: { region } }),
    })),
    ...(others.length === 0
      ? []
      : [
          {
            ...common,
            credentialId: idOf(`aws-${account}`),
            provider: 'aws' as const,
            settings: { regions: [...regions], services: others },
          },
        ]),
  ];
}

/** What is to be written so that a tenant has exactly these credentials of a connection. */
export interface CredentialChanges {
  readonly add: readonly NewCredential[];
  readonly change: readonly { readonly item: CredentialItem; readonly change: Partial<NewCredential> }[];
}

/**
 * Compares what is planned with what the tenant has. One of this connection that is not planned any more is revoked; one that is planned again comes back, but not
 * what somebody has revoked: that is for good. Pure.
 */
export function credentialChanges(
  planned: readonly NewCredential[],
  credentials: readonly CredentialItem[],
  connectionId: string,
): CredentialChanges {
  const known = new Map<string, CredentialItem>(credentials.map((item) => [item.credentialId, item]));
  const wanted = new Set<string>(planned.map((item) => item.credentialId));
  const kept = planned.flatMap((plan) => {
    const item = known.get(plan.credentialId);
    if (!item || item.ending !== undefined || sameUse(item, plan)) return [];
    const { environment, settings, status } = plan;
    const change = { environment, settings, status, labels: plan.labels, dataClasses: plan.dataClasses, epoch: item.epoch + 1 };
    return [{ item, change }];
  });
  const ended = credentials.filter(
    (item) => item.connectionId === connectionId && !wanted.has(item.credentialId) && item.status !== 'revoked',
  );
  return {
    add: planned.filter((plan) => !known.has(plan.credentialId)),
    change: [...kept, ...ended.map((item) => ({ item, change: { status: 'revoked' as const, epoch: item.epoch + 1 } }))],
  };
}

type Use = Pick<StoredCredential, 'environment' | 'settings' | 'labels' | 'dataClasses'> & { readonly status: string };

function sameUse(a: Use, b: Use): boolean {
  const textOf = ({ environment, settings, labels, dataClasses, status }: Use): string =>
    JSON.stringify([environment, status, settings?.region, settings?.regions, settings?.services, labels?.['region'], dataClasses]);
  return textOf(a) === textOf(b);
}

/**
 * The tenant's rules with what leads to these credentials; undefined when they are that already. Where the tenant has only rules of its own for a provider and
 * environment, nothing is added: which credential serves what is the tenant's to say. Pure.
 *
 * @param own every credential of the connection, also those that are not planned any more
 */
export function rulesWith(
  { rules }: Pick<TenantItem, 'rules'>,
  planned: readonly NewCredential[],
  own: ReadonlySet<string>,
): RoutingRule[] | undefined {
  const wanted = planned.map(
    ({ provider, environment, labels, credentialId: use }): RoutingRule => ({
      match: { provider, environment, ...(labels !== undefined && { labels }) },
      use,
    }),
  );
  const kept = rules.filter((rule) => !isGenerated(rule, own) || wanted.some((one) => sameRule(one, rule)));
  const added = wanted.filter((rule) => {
    if (kept.some((one) => sameRule(one, rule))) return false;
    const beside = rules.filter(({ match }) => match.provider === rule.match.provider && match.environment === rule.match.environment);
    return beside.length === 0 || beside.some((one) => isGenerated(one, own));
  });
  return added.length === 0 && kept.length === rules.length ? undefined : [...kept, ...added];
}

/** A rule as they are made here: what a tenant made narrower by hand is the tenant's. */
function isGenerated({ match, use, backup }: RoutingRule, own: ReadonlySet<string>): boolean {
  const { useCase, team, labels = {} } = match;
  return (
    own.has(use) && useCase === undefined && team === undefined && backup === undefined && Object.keys(labels).every((n) => n === 'region')
  );
}

function sameRule(a: RoutingRule, b: RoutingRule): boolean {
  const textOf = ({ match, use }: RoutingRule): string =>
    JSON.stringify([match.provider, match.environment, match.labels?.['region'], use]);
  return textOf(a) === textOf(b) && b.match.useCase === undefined && b.match.team === undefined;
}

function idOf(text: string): CredentialId {
  return credentialId.parse(text);
}
