import type { Cell } from '../../tenants/dedicated-policies.ts';

/** Requests that nobody's policies may allow, whatever else they allow. */
export interface ForbiddenRequests {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Two tenants that do not exist: the policies are the same for all. The second name begins with the first. */
export const canaries = { own: 'canary-audit', other: 'canary-audit-2' } as const;

const secretActions = [
  ...['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage', 'DeleteSecret', 'ListSecretVersionIds'],
  ...['PutResourcePolicy', 'UntagResource', 'ReplicateSecretToRegions'],
].map((name) => `secretsmanager:${name}`);
const itemActions = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'PartiQLInsert', 'PartiQLSelect'].map(
  (name) => `dynamodb:${name}`,
);
const identityChanges = [
  ...['PutRolePolicy', 'AttachRolePolicy', 'DetachRolePolicy', 'UpdateAssumeRolePolicy', 'DeleteRolePermissionsBoundary'],
  ...['PutRolePermissionsBoundary', 'TagRole', 'UntagRole'],
].map((name) => `iam:${name}`);

export interface Places {
  readonly cell: Cell;
  readonly registryTableArn: string;
  readonly attributionTableArn: string;
  readonly tenantKeyArn: string;
}

/**
 * What a principal may not do with `other`'s data: with the other's path or tag, or its own tag on the other's path; items, keys and roles of the other. With `own` it is a
 * session of that tenant; without, a standing role, which may do none of it with anybody's.
 */
export function forbiddenRequests(
  { cell, ...places }: Places,
  { own, other }: { readonly own?: string; readonly other: string },
): readonly ForbiddenRequests[] {
  const { partition, region, accountId } = cell;
  const here = (service: string, name: string): string => `arn:${partition}:${service}:${region}:${accountId}:${name}`;
  const secretOf = (tenant: string): string => here('secretsmanager', `secret:cordon/${tenant}/openai-main-AbCdEf`);
  const roleOf = (name: string): string => `arn:${partition}:iam::${accountId}:role/cordon/${name}`;
  const session: Readonly<Record<string, string>> = own === undefined ? {} : { 'aws:PrincipalTag/TenantId': own };
  const tagged = (tenant: string) => ({ ...session, 'aws:ResourceTag/TenantId': tenant, 'aws:ResourceTag/Tier': 'pool' });
  const throughSecretsManager = {
    ...session,
    'kms:ViaService': `secretsmanager.${region}.amazonaws.com`,
    'kms:CallerAccount': accountId,
    'kms:EncryptionContext:SecretARN': secretOf(other),
    'kms:EncryptionContextKeys': ['SecretARN', 'SecretVersionId'],
  };
  const byName = {
    ...session,
    'kms:CallerAccount': accountId,
    'kms:EncryptionContext:TenantId': other,
    'kms:EncryptionContextKeys': ['TenantId'],
  };
  const items = (context: ForbiddenRequests['context']): ForbiddenRequests => ({
    actions: itemActions,
    resources: [places.registryTableArn, places.attributionTableArn],
    context: { ...session, ...context },
  });
  const ofEverybody: readonly ForbiddenRequests[] = [
    { actions: secretActions, resources: [secretOf(other)], context: tagged(other) },
    items({ 'dynamodb:LeadingKeys': [`TENANT#${other}#`] }),
    items({ 'dynamodb:LeadingKeys': [`TENANT#${other}#2026-01-01`] }),
    { actions: ['dynamodb:Scan'], resources: [places.registryTableArn, places.attributionTableArn], context: session },
    { actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [places.tenantKeyArn], context: throughSecretsManager },
    {
      actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyPairWithoutPlaintext'],
      resources: [places.tenantKeyArn],
      context: byName,
    },
    { actions: ['kms:CreateGrant', 'kms:PutKeyPolicy'], resources: [places.tenantKeyArn], context: session },
    { actions: identityChanges, resources: [roleOf('TenantReader'), roleOf(`TenantAgent-${other}`)], context: session },
  ];
  if (own === undefined) return ofEverybody;
  const asOther = { ...session, 'aws:RequestTag/TenantId': other, 'aws:TagKeys': ['TenantId'] };
  return [
    ...ofEverybody,
    // Path and tag are one wall each: what has one of them right is still the other's.
    { actions: secretActions, resources: [secretOf(other)], context: tagged(own) },
    { actions: secretActions, resources: [secretOf(own)], context: tagged(other) },
    { actions: ['secretsmanager:CreateSecret'], resources: [secretOf(other)], context: { ...asOther, 'aws:RequestTag/TenantId': own } },
    { actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'], resources: [secretOf(own)], context: asOther },
    {
      actions: ['sts:AssumeRole'],
      resources: [
        roleOf(`TenantAgent-${other}`),
        roleOf(`TenantAgent-${other}.writer`),
        `arn:${partition}:iam::444455556666:role/cordon.${other}.x`,
      ],
      context: asOther,
    },
    { actions: ['iam:CreateRole', 'iam:TagRole', 'iam:AttachRolePolicy'], resources: [roleOf(`TenantAgent-${other}`)], context: asOther },
  ];
}
