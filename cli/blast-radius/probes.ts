/**
 * Everything that is tried on behalf of whoever is taken to be compromised: one probe per thing, with every set of circumstances that helps. Nothing is concluded from
 * what a role is called: a thing is reached when IAM would allow it.
 */

import type { CompiledPolicy } from '../../local/iam/evaluate.ts';
import { accountProbes } from './probes-account.ts';
import { messageProbes } from './probes-messages.ts';
import type { Asking } from './session.ts';
import { account, region } from './stack.ts';
import { type Stack, type TenantName, tenants, users } from './stack-model.ts';

export interface Probe {
  /** As reports call it. */
  readonly thing: string;
  /** Whose it is: one of the two tenants', every tenant's at once, the session's own tenant's, or the platform's and no tenant's. */
  readonly of: TenantName | 'all' | 'session' | 'platform';
  /** Whose actions are tried. */
  readonly service: string;
  readonly resource: string;
  /** Any one of them is enough. */
  readonly circumstances: readonly Asking[];
  readonly resourcePolicy?: CompiledPolicy | undefined;
  readonly policyRequired?: boolean;
  /** Which of the service's actions; all when left out. */
  readonly only?: (action: string) => boolean;
  /** Functions that act on it when it is done: what they then do is their own code's decision. */
  readonly asks?: readonly string[];
}

const bothTenants = Object.values(tenants);

export function probesOf(stack: Stack): readonly Probe[] {
  return [...secretProbes(stack), ...tableProbes(stack), ...keyProbes(stack), ...messageProbes(stack), ...accountProbes(stack)];
}

const secretArn = (name: string): string => `arn:aws:secretsmanager:${region}:${account}:secret:${name}-AAAAAA`;
const tenantsSecret = (tenant: string): string => secretArn(`cordon/${tenant}/credential`);

function secretProbes(stack: Stack): Probe[] {
  const service = 'secretsmanager';
  const kinds: readonly { readonly thing: string; readonly tags: Readonly<Record<string, string>> }[] = [
    { thing: 'secrets of the tenant', tags: { Tier: 'pool' } },
    { thing: 'secrets of a dedicated tenant', tags: { Tier: 'dedicated' } },
    { thing: 'secrets of the user', tags: { Tier: 'pool', UserId: users.self } },
    { thing: 'secrets of other users', tags: { Tier: 'pool', UserId: users.other } },
  ];
  const prefixed = (side: 'Resource' | 'Request', given: Readonly<Record<string, string>>): Asking =>
    Object.fromEntries(Object.entries(given).map(([key, value]) => [`aws:${side}Tag/${key}`, value]));
  return [
    ...bothTenants.flatMap((tenant) =>
      kinds.map(({ thing, tags }): Probe => {
        const all = { TenantId: tenant, ...tags };
        const there = prefixed('Resource', all);
        return {
          thing,
          of: tenant,
          service,
          resource: tenantsSecret(tenant),
          circumstances: [
            there,
            { ...prefixed('Request', all), 'aws:TagKeys': Object.keys(all) },
            // Another's secret, tagged as one's own.
            ...bothTenants.map((mine) => ({ ...there, 'aws:RequestTag/TenantId': mine, 'aws:TagKeys': ['TenantId'] })),
          ],
        };
      }),
    ),
    ...stack.platformSecrets.map(
      ({ name, arn }): Probe => ({
        thing: `administrator’s credential ${name}`,
        of: 'all',
        service,
        resource: arn,
        circumstances: [{}],
      }),
    ),
    { thing: 'secrets that are not Cordon’s', of: 'platform', service, resource: secretArn('unrelated'), circumstances: [{}] },
  ];
}

/** A date follows in the attribution; whatever follows the delimiter is the same to a policy. */
const itemsOf = (tenant: string): Asking => ({ 'dynamodb:LeadingKeys': [`TENANT#${tenant}#`] });

function tableProbes({ tables }: Stack): Probe[] {
  const service = 'dynamodb';
  return [
    ...tables.flatMap(({ name, arn, ownIndexes, commonIndexes }): Probe[] => [
      ...[arn, ...ownIndexes.map((index) => `${arn}/index/${index}`)].flatMap((resource) =>
        bothTenants.map(
          (tenant): Probe => ({ thing: `items of ${name}`, of: tenant, service, resource, circumstances: [itemsOf(tenant)] }),
        ),
      ),
      // Without a leading key: a scan, an export. With one that is no tenant's: whatever else a table holds.
      { thing: `items of ${name}`, of: 'all', service, resource: arn, circumstances: [{}, { 'dynamodb:LeadingKeys': ['somebody'] }] },
      ...commonIndexes.map(
        (index): Probe => ({
          thing: `index ${index} of ${name}`,
          of: 'all',
          service,
          resource: `${arn}/index/${index}`,
          circumstances: [{}, { 'dynamodb:LeadingKeys': ['somebody'] }],
        }),
      ),
    ]),
    {
      thing: 'tables that are not Cordon’s',
      of: 'platform',
      service,
      resource: `arn:aws:dynamodb:${region}:${account}:table/Unrelated`,
      circumstances: [{}, itemsOf(tenants.own)],
    },
  ];
}

const usesKey = (action: string): boolean => /:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|CreateGrant)/.test(action);
/** Whose name is a key's, but which is asked of none. */
const ofNoKey = (action: string): boolean => /:(CreateKey|CreateCustomKeyStore|ListKeys|ListAliases)$/.test(action);

function keyProbes({ keys, platformSecrets }: Stack): Probe[] {
  const service = 'kms';
  const through = (secret: string): Asking => ({
    'kms:ViaService': `secretsmanager.${region}.amazonaws.com`,
    'kms:EncryptionContext:SecretARN': secret,
    'kms:EncryptionContextKeys': ['SecretARN'],
  });
  const byName = (tenant: string, user?: string): Asking => ({
    'kms:EncryptionContext:TenantId': tenant,
    'kms:EncryptionContext:UserId': user,
    'kms:EncryptionContextKeys': ['TenantId', ...(user === undefined ? [] : ['UserId'])],
    'kms:DataKeyPairSpec': 'ECC_NIST_P256',
  });
  return [
    ...keys.flatMap(({ name, arn, policy, tags }): Probe[] => {
      const base = {
        'kms:CallerAccount': account,
        'aws:ResourceTag/TenantId': tags['TenantId'],
        'aws:ResourceTag/Tier': tags['Tier'],
      };
      const owner = bothTenants.find((tenant) => tenant === tags['TenantId']);
      const called = owner === undefined ? name : 'dedicated key';
      const probe = { service, resource: arn, resourcePolicy: policy, policyRequired: true };
      const all: Probe = {
        ...probe,
        thing: called,
        of: owner ?? 'all',
        only: (action) => !ofNoKey(action),
        circumstances: [
          { ...base, 'kms:SigningAlgorithm': 'ECDSA_SHA_256' },
          ...bothTenants.map((tenant) => ({ ...base, 'aws:RequestTag/TenantId': tenant, 'aws:TagKeys': ['TenantId'] })),
        ],
      };
      // What lies under a key of the platform is no tenant's.
      if (tags['Tier'] === 'platform') {
        const circumstances = platformSecrets.map((secret) => ({ ...base, ...through(secret.arn) }));
        return [all, { ...probe, thing: `${called} for administrators’ credentials`, of: 'all', only: usesKey, circumstances }];
      }
      return [
        all,
        ...bothTenants.flatMap((tenant): Probe[] => [
          {
            ...probe,
            thing: `${called} for secrets of the tenant`,
            of: owner ?? tenant,
            only: usesKey,
            circumstances: [{ ...base, ...through(tenantsSecret(tenant)) }],
          },
          {
            ...probe,
            thing: `${called} for the tenant by name`,
            of: owner ?? tenant,
            only: usesKey,
            circumstances: [byName(tenant), ...Object.values(users).map((user) => byName(tenant, user))].map((one) => ({
              ...base,
              ...one,
            })),
          },
        ]),
      ];
    }),
    // A customer may name a key of its own; its policy is the customer's.
    ...bothTenants.map(
      (tenant): Probe => ({
        thing: 'keys that customers name for their secrets',
        of: tenant,
        service,
        resource: `arn:aws:kms:${region}:${account}:key/unrelated`,
        circumstances: [through(tenantsSecret(tenant))],
      }),
    ),
    ...bothTenants.map(
      (tenant): Probe => ({
        thing: 'keys made for the tenant',
        of: tenant,
        service,
        resource: '*',
        circumstances: [{ 'aws:RequestTag/TenantId': tenant, 'aws:RequestTag/Tier': 'dedicated', 'aws:TagKeys': ['TenantId', 'Tier'] }],
      }),
    ),
    {
      thing: 'keys that are not Cordon’s',
      of: 'platform',
      service,
      resource: `arn:aws:kms:${region}:${account}:key/unrelated`,
      circumstances: [{}],
    },
    ...bothTenants.map(
      (tenant): Probe => ({
        thing: 'aliases of the tenant’s key',
        of: tenant,
        service,
        resource: `arn:aws:kms:${region}:${account}:alias/cordon/${tenant}`,
        circumstances: [{}],
      }),
    ),
  ];
}
