import type { TenantId } from '../shared/identifiers.ts';

/** Where the cell is deployed. */
export interface Cell {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

/** Reads partition, Region and account out of an ARN that has all three, e.g. a KMS key's. */
export function cellOf(arn: string): Cell {
  const [, partition, , region, accountId] = arn.split(':');
  if (!partition || !region || !accountId) throw new TypeError('the ARN names no partition, Region and account');
  return { partition, region, accountId };
}

/**
 * The account as principal and the role's ARN as condition: a role ARN as principal is stored as the role's unique ID, and recreating a function's
 * role would break every tenant (IAM User Guide, "AWS JSON policy elements: Principal").
 */
const accountOf = (cell: Cell): object => ({ AWS: `arn:${cell.partition}:iam::${cell.accountId}:root` });

/** A session tag overrides a role tag of the same key, so `TenantId` must never be among the tags a session may bring (IAM User Guide, "Passing session tags"). */
const onlyUser = { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['UserId'] } };
const actions = ['sts:AssumeRole', 'sts:TagSession'];

/** Lets one function of Cordon in, with no tag of its own but a user's. */
const admit = (cell: Cell, Sid: string, roleArn: string): object => ({
  Sid,
  Effect: 'Allow',
  Principal: accountOf(cell),
  Action: actions,
  Condition: {
    ArnEquals: { 'aws:PrincipalArn': roleArn },
    ...onlyUser,
    StringLikeIfExists: { 'aws:RequestTag/UserId': '?*' },
    Null: { 'sts:TransitiveTagKeys': 'true' },
  },
});

/**
 * Trust of the reader: the sessions function, its own sessions to add a user once, and the workers that try versions at the provider: rotation, and revocation, to show
 * that they are dead.
 */
export function readerTrust(
  cell: Cell,
  readerArn: string,
  by: { sessionsRoleArn: string; rotationRoleArn: string; revocationRoleArn: string },
): object {
  return {
    Version: '2012-10-17',
    Statement: [
      admit(cell, 'MintFromVerifiedToken', by.sessionsRoleArn),
      {
        Sid: 'AddUserToOwnSession',
        Effect: 'Allow',
        Principal: accountOf(cell),
        Action: actions,
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': readerArn },
          ...onlyUser,
          StringLike: { 'aws:RequestTag/UserId': '?*' },
          Null: { 'aws:PrincipalTag/UserId': 'true', 'sts:TransitiveTagKeys': 'true' },
        },
      },
      admit(cell, 'ReadForRotation', by.rotationRoleArn),
      admit(cell, 'ReadForRevocation', by.revocationRoleArn),
    ],
  };
}

/** Trust of the writer: the tenants function, the door, which stores what the tenant itself hands over, and the workers of rotation and revocation. */
export function writerTrust(
  cell: Cell,
  by: { tenantsRoleArn: string; doorRoleArn: string; rotationRoleArn: string; revocationRoleArn: string },
): object {
  return {
    Version: '2012-10-17',
    Statement: [
      admit(cell, 'WorkForEvents', by.tenantsRoleArn),
      admit(cell, 'StoreSuppliedSecrets', by.doorRoleArn),
      admit(cell, 'StageForRotation', by.rotationRoleArn),
      admit(cell, 'EndForRevocation', by.revocationRoleArn),
    ],
  };
}

/**
 * The key of a dedicated tenant: the account administers it and cannot use it; its two roles use it, through Secrets Manager and for the tenant's
 * path only; the supplier, in a session of this tenant, makes and opens the key pairs of its door; everybody else's use is denied, also by administrators' policies. Source: KMS Developer Guide, "Key policies", "kms:ViaService",
 * "kms:EncryptionContext:context-key"; Secrets Manager User Guide, "Encryption context".
 */
export function keyPolicy(cell: Cell, tenantId: TenantId, roles: { readerArn: string; writerArn: string; supplierArn: string }): object {
  const secrets = `arn:${cell.partition}:secretsmanager:${cell.region}:${cell.accountId}:secret:cordon/${tenantId}/*`;
  const tenantsPath = {
    StringEquals: { 'kms:ViaService': `secretsmanager.${cell.region}.amazonaws.com` },
    StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
  };
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AdministerWithoutUse',
        Effect: 'Allow',
        Principal: accountOf(cell),
        // No CreateGrant: a grant would be a way to use.
        Action: [
          ...['Cancel', 'Describe', 'Disable', 'Enable', 'Get', 'List', 'Put', 'Schedule', 'Tag', 'Untag', 'Update'].map(
            (verb) => `kms:${verb}*`,
          ),
          'kms:CreateAlias',
          'kms:DeleteAlias',
        ],
        Resource: '*',
      },
      {
        Sid: 'ReadOwnSecrets',
        Effect: 'Allow',
        Principal: accountOf(cell),
        Action: 'kms:Decrypt',
        Resource: '*',
        Condition: { ArnEquals: { 'aws:PrincipalArn': roles.readerArn }, ...tenantsPath },
      },
      {
        Sid: 'WriteOwnSecrets',
        Effect: 'Allow',
        Principal: accountOf(cell),
        // Decrypt: Secrets Manager opens the current version to compare it when a value is put again.
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: '*',
        Condition: { ArnEquals: { 'aws:PrincipalArn': roles.writerArn }, ...tenantsPath },
      },
      {
        Sid: 'OpenOwnDoor',
        Effect: 'Allow',
        Principal: accountOf(cell),
        Action: ['kms:Decrypt', 'kms:GenerateDataKeyPairWithoutPlaintext'],
        Resource: '*',
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': roles.supplierArn },
          StringEquals: { 'aws:PrincipalTag/TenantId': tenantId, 'kms:EncryptionContext:TenantId': tenantId },
          // Key names of an encryption context compare without case: the set is pinned as well.
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['TenantId'] },
          Null: { 'kms:EncryptionContextKeys': 'false', 'kms:ViaService': 'true' },
        },
      },
      {
        Sid: 'DenyUseByOthers',
        Effect: 'Deny',
        Principal: '*',
        Action: ['kms:CreateGrant', 'kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        Resource: '*',
        Condition: { ArnNotEquals: { 'aws:PrincipalArn': [roles.readerArn, roles.writerArn, roles.supplierArn] } },
      },
    ],
  };
}
