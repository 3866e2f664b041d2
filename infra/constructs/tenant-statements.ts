/**
 * Every statement that decides what a tenant session may do, in one file, to be read from top to bottom by whoever has to trust it.
 *
 * Two walls stand around a secret: its path (`cordon/{tenantId}/…`) and its tag (`TenantId`); KMS repeats the path on the encryption
 * context. Each Allow has a Deny twin, because in one account a resource policy adds to what identity policies allow, and only an
 * explicit Deny holds against it (IAM User Guide, "Policy evaluation logic"). The Denies are attached to each tenant role as the managed policy `TenantIsolation` and stand a second
 * time in the permissions boundary, which nothing may change at run time.
 *
 * `${aws:PrincipalTag/TenantId}` is the session's own tenant: IAM fills it in, no code of ours does.
 */
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** What the statements refer to: ARNs as CDK tokens. */
export interface TenantStatementScope {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly registryTableArn: string;
  readonly attributionTableArn: string;
  /** What the isolation tests have found, by the tenant that asked. */
  readonly isolationTableArn: string;
}

const tenant = '${aws:PrincipalTag/TenantId}';
const user = '${aws:PrincipalTag/UserId}';

/** Roles under this path are Cordon's: fixed names, so that a customer's trust policy survives the recreation of a role. */
export const rolePath = '/cordon/';
export type TenantRoleName =
  | 'TenantReader'
  | 'TenantWriter'
  | 'TenantSupplier'
  | 'TenantRotator'
  | 'TenantRevoker'
  | 'TenantProvisioner'
  | 'TenantAuditor'
  | 'ByocConnector'
  | 'ByocProbe';

export function roleArn(scope: TenantStatementScope, name: string): string {
  return `arn:${scope.partition}:iam::${scope.account}:role${rolePath}${name}`;
}

/** The policy by which issued sessions are cut off: its name is fixed, as the roles' are, because its writer is named with it before it exists. */
export const revokedPolicyName = 'Revoked';
export const revokedPolicyArn = (scope: TenantStatementScope): string =>
  `arn:${scope.partition}:iam::${scope.account}:policy${rolePath}${revokedPolicyName}`;

/** The sparse index of what is scheduled: it holds keys only, of all tenants. */
export const dueIndexArn = (scope: TenantStatementScope): string => `${scope.registryTableArn}/index/due`;

/** The reader and the writer of a dedicated tenant. The dot cannot occur in a tenant ID, so no tenant's reader has the name of another's writer. */
const dedicatedReader = (scope: TenantStatementScope): string => roleArn(scope, `TenantAgent-${tenant}`);
const dedicatedWriter = (scope: TenantStatementScope): string => roleArn(scope, `TenantAgent-${tenant}.writer`);

const secretArn = (scope: TenantStatementScope, path: string): string =>
  `arn:${scope.partition}:secretsmanager:${scope.region}:${scope.account}:secret:cordon/${path}`;
const secretsManagerHost = (scope: TenantStatementScope): string => `secretsmanager.${scope.region}.amazonaws.com`;
const ownPartition = `TENANT#${tenant}#*`;

const everyAction = ['*']; // reason: only ever in a Deny, where wider is safer
const everyResource = ['*']; // reason: in a Deny wider is safer; in an Allow only where the action knows no resource, said there
const keyUse = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];

const allow = (sid: string, props: Omit<ConstructorParameters<typeof PolicyStatement>[0], 'sid' | 'effect'>): PolicyStatement =>
  new PolicyStatement({ sid, effect: Effect.ALLOW, ...props });
const deny = (sid: string, props: Omit<ConstructorParameters<typeof PolicyStatement>[0], 'sid' | 'effect'>): PolicyStatement =>
  new PolicyStatement({ sid, effect: Effect.DENY, ...props });

/**
 * `Revoked` as the stack makes it: no session is that old, and no tenant ID has a capital letter. From then on it is written by the cut-off's writer, who finds
 * `functions/revocation/cut-off` to say the same when nothing is cut off.
 */
export function nothingRevoked(): PolicyStatement[] {
  return [
    deny('NothingCutOff', {
      notActions: ['dynamodb:PartiQLInsert'],
      resources: everyResource,
      conditions: { StringEquals: { 'aws:PrincipalTag/TenantId': 'NONE' }, DateLessThan: { 'aws:TokenIssueTime': '1970-01-01T00:00:00Z' } },
    }),
  ];
}

/** The isolation rules. Each Sid has an attack in `test/infra` that this very statement refuses. */
export function isolationDenies(scope: TenantStatementScope): PolicyStatement[] {
  return [
    // `?*` and not `*`: a session tag may be empty, and `*` would accept that. A missing tag matches a negated operator.
    deny('DenyWithoutTenant', {
      actions: everyAction,
      resources: everyResource,
      conditions: { StringNotLike: { 'aws:PrincipalTag/TenantId': '?*' } },
    }),

    // Wall 1, the path. Actions that know no secret (ListSecrets, BatchGetSecretValue) are outside every path and so refused too.
    deny('DenySecretsOfOtherPaths', { actions: ['secretsmanager:*'], notResources: [secretArn(scope, `${tenant}/*`)] }),
    // Wall 2, the tag. CreateSecret and TagResource are left to the next two: at creation there is no resource tag to compare.
    deny('DenySecretsOfOtherTags', {
      actions: ['Batch', 'Cancel', 'Delete', 'Describe', 'Get', 'List', 'Put', 'Re', 'Rotate', 'Stop', 'Update', 'Validate'].map(
        (verb) => `secretsmanager:${verb}*`,
      ),
      resources: everyResource,
      conditions: { StringNotEquals: { 'aws:ResourceTag/TenantId': tenant } },
    }),
    deny('DenyCreatingForOthers', {
      actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
      resources: everyResource,
      conditions: { StringNotEquals: { 'aws:RequestTag/TenantId': tenant } },
    }),
    // A secret that has an owner keeps it: with RequestTag alone, A could write its own tag over B's.
    deny('DenyRetagging', {
      actions: ['secretsmanager:TagResource'],
      resources: everyResource,
      conditions: { Null: { 'aws:ResourceTag/TenantId': 'false' } },
    }),

    deny('DenySecretsOfOtherUsers', {
      actions: ['secretsmanager:*'],
      resources: everyResource,
      conditions: { Null: { 'aws:ResourceTag/UserId': 'false' }, StringNotEquals: { 'aws:ResourceTag/UserId': user } },
    }),
    deny('DenyCreatingForOtherUsers', {
      actions: ['secretsmanager:*'],
      resources: everyResource,
      conditions: { Null: { 'aws:RequestTag/UserId': 'false' }, StringNotEquals: { 'aws:RequestTag/UserId': user } },
    }),

    // A dedicated tenant's secrets belong to its own two roles. The shared ones are refused although tenant and path are right.
    ...(['Resource', 'Request'] as const).map((side) =>
      deny(`DenyDedicatedToSharedRolesBy${side}Tag`, {
        actions: ['secretsmanager:*'],
        resources: everyResource,
        conditions: {
          StringEquals: { [`aws:${side}Tag/Tier`]: 'dedicated' },
          ArnNotEquals: { 'aws:PrincipalArn': [dedicatedReader(scope), dedicatedWriter(scope)] },
        },
      }),
    ),

    // What would move the walls themselves, or show other tenants' names, is for no tenant session, not even on its own secrets.
    deny('DenyMovingTheWalls', {
      actions: [
        'secretsmanager:BatchGetSecretValue',
        'secretsmanager:DeleteResourcePolicy',
        'secretsmanager:ListSecrets',
        'secretsmanager:PutResourcePolicy',
        'secretsmanager:Re*Regions*', // ReplicateSecretToRegions, RemoveRegionsFromReplication
        'secretsmanager:StopReplicationToReplica',
        'secretsmanager:UntagResource',
        'sts:TagGetWebIdentityToken',
      ],
      resources: everyResource,
    }),

    // DynamoDB has one wall, the leading key. Keys end in a delimiter, or `acme` would read `acme-2`.
    deny('DenyItemsOfOtherTenants', {
      actions: ['dynamodb:*'],
      resources: everyResource,
      conditions: { 'ForAnyValue:StringNotLike': { 'dynamodb:LeadingKeys': ownPartition } },
    }),
    // A set operator says nothing of an absent key: Scan, exports and unpinned PartiQL carry none.
    deny('DenyItemsWithoutLeadingKey', {
      actions: ['dynamodb:*'],
      resources: everyResource,
      conditions: { Null: { 'dynamodb:LeadingKeys': 'true' } },
    }),

    // What is on record stays as it is: an insert fails on an existing key, and nothing else may write there, whatever is granted later.
    deny('DenyChangingAttribution', {
      actions: ['BatchWriteItem', 'DeleteItem', 'PartiQLDelete', 'PartiQLUpdate', 'PutItem', 'UpdateItem'].map(
        (name) => `dynamodb:${name}`,
      ),
      resources: [scope.attributionTableArn],
    }),

    ...keyUseDenies(scope),

    // From a tenant session a role chain leads to the same tenant's roles only.
    deny('DenyRolesOfOthers', {
      actions: ['sts:AssumeRole'],
      notResources: [
        roleArn(scope, 'TenantReader'),
        roleArn(scope, 'ByocConnector'),
        roleArn(scope, 'ByocProbe'),
        dedicatedReader(scope),
        `arn:${scope.partition}:iam::*:role/cordon.${tenant}.*`, // reason: any customer's account; the role's name holds the tenant
      ],
    }),
  ];
}

/**
 * KMS repeats the path: through Secrets Manager the encryption context names the secret; without it, the tenant and nothing but tenant and user.
 * Key names of an encryption context compare without case, so the set of names is pinned as well (KMS Developer Guide, "kms:EncryptionContextKeys").
 */
export function keyUseDenies(scope: TenantStatementScope): PolicyStatement[] {
  const throughSecretsManager = { 'kms:ViaService': secretsManagerHost(scope) };
  return [
    deny('DenyKeyUseForOtherPaths', {
      actions: keyUse,
      resources: everyResource,
      conditions: {
        StringEquals: throughSecretsManager,
        StringNotLike: { 'kms:EncryptionContext:SecretARN': secretArn(scope, `${tenant}/*`) },
      },
    }),
    deny('DenyKeyUseForOtherTenants', {
      actions: keyUse,
      resources: everyResource,
      conditions: { StringNotEquals: { ...throughSecretsManager, 'kms:EncryptionContext:TenantId': tenant } },
    }),
    deny('DenyKeyUseWithOtherNames', {
      actions: keyUse,
      resources: everyResource,
      conditions: {
        StringNotEquals: throughSecretsManager,
        'ForAnyValue:StringNotEquals': { 'kms:EncryptionContextKeys': ['TenantId', 'UserId'] },
      },
    }),
    deny('DenyKeyUseForOtherUsers', {
      actions: keyUse,
      resources: everyResource,
      conditions: { StringNotEquals: { 'kms:EncryptionContext:UserId': user }, Null: { 'kms:EncryptionContext:UserId': 'false' } },
    }),
  ];
}

/** `TenantReader`: reads secrets, registry and attribution of its tenant, and adds to the attribution. */
export function readerAllows(scope: TenantStatementScope): PolicyStatement[] {
  return [
    allow('ReadOwnSecrets', {
      actions: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      resources: [secretArn(scope, `${tenant}/*`)],
      conditions: ownTag,
    }),
    useOwnKey(scope, 'DecryptOwnSecrets', ['kms:Decrypt']),
    itemsOfOwnTenant('ReadOwnRegistry', ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'], [scope.registryTableArn]),
    readAttribution(scope),
    insertAttribution(scope),
    itemsOfOwnTenant(
      'ReadOwnIsolationRuns',
      ['dynamodb:GetItem', 'dynamodb:Query'],
      [scope.isolationTableArn, `${scope.isolationTableArn}/index/byStart`],
    ),
    allow('AddUserToSession', {
      actions: ['sts:AssumeRole', 'sts:TagSession'],
      resources: [roleArn(scope, 'TenantReader'), dedicatedReader(scope)],
    }),
    // Keyless providers: a short-lived token about this very role, minted per use.
    allow('ProveOwnIdentity', { actions: ['sts:GetWebIdentityToken'], resources: everyResource, conditions: dedicatedOnly(scope) }),
    useConnector(scope),
  ];
}

/** `TenantWriter`: creates, stages and deletes secrets of its tenant without being able to read one; writes its registry items; adds to the attribution. */
export function writerAllows(scope: TenantStatementScope): PolicyStatement[] {
  return [
    createOwnSecrets(scope),
    allow('StageOwnSecrets', {
      actions: ['DeleteSecret', 'DescribeSecret', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (name) => `secretsmanager:${name}`,
      ),
      resources: [secretArn(scope, `${tenant}/*`)],
      conditions: ownTag,
    }),
    // Decrypt: Secrets Manager opens the current version to compare it when a value is put again.
    useOwnKey(scope, 'EncryptOwnSecrets', ['kms:Decrypt', 'kms:GenerateDataKey']),
    itemsOfOwnTenant(
      'WriteOwnRegistry',
      ['BatchGetItem', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`),
      [scope.registryTableArn],
    ),
    insertAttribution(scope),
    useConnector(scope),
    allow('UseByocProbe', { actions: ['sts:AssumeRole', 'sts:TagSession'], resources: [roleArn(scope, 'ByocProbe')] }),
  ];
}

/** `TenantSupplier`: makes and opens the key pairs by which a tenant hands over a secret, and stores the secret. It reads none that is stored. */
export function supplierAllows(scope: TenantStatementScope): PolicyStatement[] {
  const anyKey = [`arn:${scope.partition}:kms:${scope.region}:${scope.account}:key/*`]; // reason: a dedicated tenant's key is made later; the key's own policy decides too
  return [
    createOwnSecrets(scope),
    allow('ReplaceOwnSecrets', {
      actions: ['secretsmanager:PutSecretValue'],
      resources: [secretArn(scope, `${tenant}/*`)],
      conditions: ownTag,
    }),
    useOwnKey(scope, 'EncryptOwnSecrets', ['kms:Decrypt', 'kms:GenerateDataKey']),
    allow('MakeDoorKeys', {
      actions: ['kms:GenerateDataKeyPairWithoutPlaintext'],
      resources: anyKey,
      conditions: { ...ownContextOnly, StringEquals: { ...ownContextOnly.StringEquals, 'kms:DataKeyPairSpec': 'ECC_NIST_P256' } },
    }),
    allow('OpenDoorKeys', {
      actions: ['kms:Decrypt'],
      resources: anyKey,
      conditions: { ...ownContextOnly, Null: { ...ownContextOnly.Null, 'kms:ViaService': 'true' } },
    }),
    itemsOfOwnTenant('WriteOwnRegistry', ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [scope.registryTableArn]),
    insertAttribution(scope),
  ];
}

/** `TenantRotator`: stages the next version of a secret, and reads the versions to try them at the provider: the next one before it counts, the old one until it is refused. */
export function rotatorAllows(scope: TenantStatementScope): PolicyStatement[] {
  return [
    allow('RotateOwnSecrets', {
      actions: ['DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (name) => `secretsmanager:${name}`,
      ),
      resources: [secretArn(scope, `${tenant}/*`)],
      conditions: ownTag,
    }),
    useOwnKey(scope, 'UseKeyOfOwnSecrets', ['kms:Decrypt', 'kms:GenerateDataKey']),
    itemsOfOwnTenant(
      'WriteOwnRegistry',
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      [scope.registryTableArn],
    ),
    readAttribution(scope),
    insertAttribution(scope),
  ];
}

/**
 * `TenantRevoker`: ends what is revoked. It reads a key only to show that the provider refuses it, puts a mark in the place of the key, and deletes the secret. It makes no
 * secret.
 */
export function revokerAllows(scope: TenantStatementScope): PolicyStatement[] {
  return [
    allow('EndOwnSecrets', {
      actions: [
        ...['DeleteSecret', 'DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage'],
      ].map((name) => `secretsmanager:${name}`),
      resources: [secretArn(scope, `${tenant}/*`)],
      conditions: ownTag,
    }),
    useOwnKey(scope, 'UseKeyOfOwnSecrets', ['kms:Decrypt', 'kms:GenerateDataKey']),
    itemsOfOwnTenant(
      'WriteOwnRegistry',
      ['ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`),
      [scope.registryTableArn],
    ),
    insertAttribution(scope),
  ];
}

/** `TenantProvisioner`: makes the two roles and the key of its own dedicated tenant, each under the boundary, with none but Cordon's policies. */
export function provisionerAllows(
  scope: TenantStatementScope,
  policies: { boundaryArn: string; attachableArns: string[] },
): PolicyStatement[] {
  const ownRoles = [dedicatedReader(scope), dedicatedWriter(scope)];
  const ownKeyTags = {
    StringEquals: { 'aws:RequestTag/TenantId': tenant },
    'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId', 'Tier'] },
  };
  return [
    allow('CreateOwnRoles', {
      actions: ['iam:CreateRole'],
      resources: ownRoles,
      conditions: { StringEquals: { 'iam:PermissionsBoundary': policies.boundaryArn, 'aws:RequestTag/TenantId': tenant } },
    }),
    allow('TagOwnRoles', {
      actions: ['iam:TagRole'],
      resources: ownRoles,
      conditions: {
        StringEquals: { 'aws:RequestTag/TenantId': tenant },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId', 'Tier'] },
      },
    }),
    allow('AttachCordonPolicies', {
      actions: ['iam:AttachRolePolicy'],
      resources: ownRoles,
      conditions: { ArnEquals: { 'iam:PolicyARN': policies.attachableArns } },
    }),
    allow('InspectOwnRoles', { actions: ['iam:GetRole'], resources: ownRoles }),
    // CreateKey knows no resource before the key exists: the request's own tag stands for it.
    allow('CreateOwnKey', { actions: ['kms:CreateKey'], resources: everyResource, conditions: ownKeyTags }),
    // A key gets its tags when it is made and keeps them: with RequestTag alone, A could write its own tag over B's, and have B's key for its own.
    // The stack's keys carry a Tier too.
    allow('TagOwnKeyAtCreation', {
      actions: ['kms:TagResource'],
      resources: everyResource,
      conditions: { ...ownKeyTags, Null: { 'aws:ResourceTag/TenantId': 'true', 'aws:ResourceTag/Tier': 'true' } },
    }),
    allow('NameOwnKey', {
      actions: ['kms:CreateAlias'],
      resources: [`arn:${scope.partition}:kms:${scope.region}:${scope.account}:alias/cordon/${tenant}`],
    }),
    allow('UseOwnTaggedKey', {
      actions: ['kms:CreateAlias', 'kms:DescribeKey', 'kms:EnableKeyRotation'],
      resources: [`arn:${scope.partition}:kms:${scope.region}:${scope.account}:key/*`], // reason: key IDs are random; the tag decides
      conditions: ownTag,
    }),
    // Finds a key whose alias was never made. It lists names and tags only and knows no resource.
    allow('FindOwnKey', { actions: ['tag:GetResources'], resources: everyResource }),
  ];
}

/** `TenantAuditor`: reads what happened to one tenant, and no secret. */
export function auditorAllows(scope: TenantStatementScope): PolicyStatement[] {
  return [itemsOfOwnTenant('ReadOwnRegistry', ['dynamodb:GetItem', 'dynamodb:Query'], [scope.registryTableArn]), readAttribution(scope)];
}

/**
 * `ByocConnector`: takes the role that a customer made for this very tenant, in whatever account, and does nothing else. `ByocProbe` may do the same on our side, so that
 * a customer's role can be shown to refuse everyone but the connector.
 */
export function connectorAllows(scope: TenantStatementScope): PolicyStatement[] {
  return [
    allow('AssumeCustomerRole', { actions: ['sts:AssumeRole'], resources: [`arn:${scope.partition}:iam::*:role/cordon.${tenant}.*`] }),
  ];
}

/**
 * The most any tenant role can ever do, whatever is attached to it later: the union of the Allows above, without their conditions, which the
 * Denies that follow repeat. What makes roles and keys has no Deny behind it and so a ceiling of its own: with one policy too many, any other session could make itself a
 * role without a boundary.
 */
export function boundaryStatements(scope: TenantStatementScope): PolicyStatement[] {
  return [
    allow('Ceiling', {
      actions: [
        'dynamodb:BatchGetItem',
        'dynamodb:ConditionCheckItem',
        'dynamodb:GetItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyPairWithoutPlaintext',
        'secretsmanager:CreateSecret',
        'secretsmanager:DeleteSecret',
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
        'secretsmanager:PutSecretValue',
        'secretsmanager:TagResource',
        'secretsmanager:UpdateSecretVersionStage',
        'sts:AssumeRole',
        'sts:GetWebIdentityToken',
        'sts:TagSession',
      ],
      resources: everyResource, // reason: a boundary is a ceiling; resources are named by the policies below it
    }),
    allow('ProvisionersCeiling', {
      actions: [
        'iam:AttachRolePolicy',
        'iam:CreateRole',
        'iam:GetRole',
        'iam:TagRole',
        'kms:CreateAlias',
        'kms:CreateKey',
        'kms:DescribeKey',
        'kms:EnableKeyRotation',
        'kms:TagResource',
        'tag:GetResources',
      ],
      resources: everyResource, // reason: as above
      conditions: { ArnEquals: { 'aws:PrincipalArn': roleArn(scope, 'TenantProvisioner') } },
    }),
    ...isolationDenies(scope),
  ];
}

/** Direct use of a key with the encryption context `{TenantId}` of the session's own tenant, and no other name in it. */
export const ownContextOnly = {
  StringEquals: { 'kms:EncryptionContext:TenantId': tenant },
  'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['TenantId'] },
  Null: { 'kms:EncryptionContextKeys': 'false' },
};

function createOwnSecrets(scope: TenantStatementScope): PolicyStatement {
  return allow('CreateOwnSecrets', {
    actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
    resources: [secretArn(scope, `${tenant}/*`)],
    conditions: {
      StringEquals: { 'aws:RequestTag/TenantId': tenant },
      'ForAllValues:StringEquals': {
        'aws:TagKeys': ['TenantId', 'UserId', 'Provider', 'CredentialId', 'Tier', 'Environment', 'Team', 'UseCase'],
      },
    },
  });
}

const ownTag = { StringEquals: { 'aws:ResourceTag/TenantId': tenant } };

function itemsOfOwnTenant(sid: string, actions: string[], resources: string[]): PolicyStatement {
  return allow(sid, {
    actions,
    resources,
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ownPartition }, Null: { 'dynamodb:LeadingKeys': 'false' } },
  });
}

/** All pool tenants' sessions share one role and so one subject: only a dedicated tenant's own role says who it is. */
const dedicatedOnly = (scope: TenantStatementScope): object => ({ ArnEquals: { 'aws:PrincipalArn': dedicatedReader(scope) } });

const readAttribution = (scope: TenantStatementScope): PolicyStatement =>
  itemsOfOwnTenant(
    'ReadOwnAttribution',
    ['dynamodb:GetItem', 'dynamodb:Query'],
    [scope.attributionTableArn, `${scope.attributionTableArn}/index/*`],
  );

/** Append-only by permission: an insert fails on an existing key, while PutItem would overwrite. */
const insertAttribution = (scope: TenantStatementScope): PolicyStatement =>
  itemsOfOwnTenant('InsertOwnAttribution', ['dynamodb:PartiQLInsert'], [scope.attributionTableArn]);

const useConnector = (scope: TenantStatementScope): PolicyStatement =>
  allow('UseByocConnector', { actions: ['sts:AssumeRole', 'sts:TagSession'], resources: [roleArn(scope, 'ByocConnector')] });

function useOwnKey(scope: TenantStatementScope, sid: string, actions: string[]): PolicyStatement {
  return allow(sid, {
    actions,
    // reason: a dedicated tenant's key is made later, and a customer may name a key of an account of its own; the key's own policy decides too
    resources: [`arn:${scope.partition}:kms:${scope.region}:*:key/*`],
    conditions: {
      StringEquals: { 'kms:ViaService': secretsManagerHost(scope) },
      StringLike: { 'kms:EncryptionContext:SecretARN': secretArn(scope, `${tenant}/*`) },
    },
  });
}
