/** Changes of the deployed policies, each through AWS's own APIs and as an administrator would make it, and what the audit has to say of it. */
import type { TestCloud } from './cloud.ts';
import type { DedicatedTenants } from './dedicated-tenants.ts';

export interface Planted {
  readonly what: string;
  readonly plant: () => Promise<unknown>;
  readonly code?: 'POLICY_GRANTS_ACROSS';
  /** Found in exactly one finding. */
  readonly says: RegExp;
}
type Fields = Readonly<Record<string, unknown>>;
interface Document {
  readonly Version: string;
  readonly Statement: readonly Fields[];
}

const allow = (fields: Fields): Fields => ({ Effect: 'Allow', ...fields });
const customer = '444455556666';

export function plantedPolicies(test: TestCloud, on: DedicatedTenants): readonly Planted[] {
  const { cloud } = test;
  const { accountId, region, outputs, resources } = cloud;
  const root = cloud.kernel.rootCaller(accountId);
  const call = (service: string, operation: string, input: object) => cloud.kernel.call(root, service, operation, input);
  const policyArn = (name: string): string => `arn:aws:iam::${accountId}:policy/cordon/${name}`;
  const physical = (id: RegExp, type: string): string => {
    const found = Object.entries(resources).find(([logicalId, resource]) => id.test(logicalId) && resource.type === type);
    if (found === undefined) throw new Error(`the stack has no ${type} ${id}`);
    return found[1].physicalId;
  };
  const functionRole = (id: RegExp): string => physical(id, 'AWS::IAM::Role');
  const document = (...Statement: readonly Fields[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
  const parsed = (text: unknown): Document => JSON.parse(decodeURIComponent(String(text)));
  const putVersion = (name: string, PolicyDocument: string): Promise<unknown> =>
    call('iam', 'CreatePolicyVersion', { PolicyArn: policyArn(name), PolicyDocument, SetAsDefault: true });
  const managed = async (name: string): Promise<Document> => {
    const { Policy } = await call('iam', 'GetPolicy', { PolicyArn: policyArn(name) });
    const VersionId = (Policy as { DefaultVersionId: string }).DefaultVersionId;
    const { PolicyVersion } = await call('iam', 'GetPolicyVersion', { PolicyArn: policyArn(name), VersionId });
    return parsed((PolicyVersion as { Document: string }).Document);
  };
  const trust = async (RoleName: string): Promise<Document> => {
    const { Role } = await call('iam', 'GetRole', { RoleName });
    return parsed((Role as { AssumeRolePolicyDocument: string }).AssumeRolePolicyDocument);
  };
  const setTrust = (RoleName: string, { Statement }: Document, change: (statements: readonly Fields[]) => readonly Fields[]) =>
    call('iam', 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: document(...change(Statement)) });
  const keyPolicy = async (KeyId: string): Promise<Document> => parsed((await call('kms', 'GetKeyPolicy', { KeyId }))['Policy']);
  const attach = (RoleName: string, name: string) => call('iam', 'AttachRolePolicy', { RoleName, PolicyArn: policyArn(name) });
  const detach = (RoleName: string, name: string) => call('iam', 'DetachRolePolicy', { RoleName, PolicyArn: policyArn(name) });
  const put = (RoleName: string, PolicyName: string, ...statements: readonly Fields[]) =>
    call('iam', 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: document(...statements) });

  const queueUrl = cloud.queues['byoc']?.url ?? '';
  const queueName = queueUrl.split('/').at(-1) ?? '';
  const queueArn = `arn:aws:sqs:${region}:${accountId}:${queueName}`;
  const bucket = outputs['TemplateBucket'] ?? '';
  const eventBus = outputs['EventBusName'] ?? '';
  const adminKey = physical(/^ProviderAdminsKey/, 'AWS::KMS::Key');
  const poolKey = outputs['TenantKeyArn']?.split('/').at(-1) ?? '';
  const secretArn = physical(/^ProviderAdminsOpenAi/, 'AWS::SecretsManager::Secret');
  const tableArn = `arn:aws:dynamodb:${region}:${accountId}:table/${outputs['RegistryTable']}`;
  const functionName = (cloud.functionArns['sessions'] ?? '').split(':').at(-1) ?? '';
  const own = `TenantAgent-${on.own.tenantId}`;
  const ownKey = on.own.keyArn.split('/').at(-1) ?? '';

  return [
    {
      what: 'a Deny taken out of the isolation policy',
      plant: async () => {
        const { Statement } = await managed('TenantIsolation');
        await putVersion('TenantIsolation', document(...Statement.filter(({ Sid }) => Sid !== 'DenySecretsOfOtherTags')));
      },
      says: /^grants: policy cordon\/TenantIsolation, document: DenySecretsOfOtherTags \(Deny\) was taken out or changed/,
    },
    {
      what: 'an Allow widened to a wildcard',
      plant: async () => {
        const { Statement } = await managed('TenantAuditorAccess');
        await putVersion('TenantAuditorAccess', document(...Statement, allow({ Sid: 'All', Action: 'dynamodb:*', Resource: '*' })));
      },
      says: /^grants: policy cordon\/TenantAuditorAccess, document: All \(Allow\) was added; allows dynamodb:\*/,
    },
    {
      what: 'an Allow among the cut-offs',
      plant: () => putVersion('Revoked', document(allow({ Sid: 'Open', Action: 'sqs:SendMessage', Resource: queueArn }))),
      says: /^grants: policy cordon\/Revoked, document: Open \(Allow\) was added/,
    },
    {
      what: 'the cut-offs taken off a role',
      plant: () => detach('TenantRotator', 'Revoked'),
      says: /^grants: role TenantRotator, attached policies: arn:\S+\/Revoked is missing/,
    },
    {
      what: 'a policy more on a role',
      plant: () => attach('TenantAuditor', 'TenantWriterAccess'),
      says: /^grants: role TenantAuditor, attached policies: arn:\S+\/TenantWriterAccess is too much/,
    },
    {
      what: 'a function’s role with a policy that it was not synthesized with',
      plant: () => put(functionRole(/^SweepFunctionRole/), 'More', allow({ Sid: 'Send', Action: 'sqs:SendMessage', Resource: queueArn })),
      says: /^grants: role \S*SweepFunctionRole\S*, inline policy More: was synthesized nowhere; Send \(Allow\) was added; New access/,
    },
    {
      what: 'a function’s role with one Deny more, which only takes away',
      plant: () => put(functionRole(/^TenantsFunctionRole/), 'Less', { Effect: 'Deny', Sid: 'No', Action: 'sqs:*', Resource: '*' }),
      says: /^changed: role \S*TenantsFunctionRole\S*, inline policy Less: .*nothing more is allowed/,
    },
    {
      what: 'a trust policy that admits a function more',
      plant: async () =>
        setTrust('TenantSupplier', await trust('TenantSupplier'), (statements) => [
          ...statements,
          allow({
            Sid: 'Also',
            Principal: { AWS: `arn:aws:iam::${accountId}:role/${functionRole(/^SweepFunctionRole/)}` },
            Action: 'sts:AssumeRole',
          }),
        ]),
      says: /^grants: role TenantSupplier, trust policy: Also \(Allow\) was added; New access/,
    },
    {
      what: 'a trust policy that admits everybody',
      plant: async () =>
        setTrust('TenantReader', await trust('TenantReader'), (statements) => [
          ...statements,
          allow({ Sid: 'All', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
        ]),
      code: 'POLICY_GRANTS_ACROSS',
      says: /^grants: role TenantReader, trust policy: All \(Allow\) was added; lets in whoever asks/,
    },
    {
      what: 'a trust policy that has lost a condition',
      plant: async () =>
        setTrust('ByocProbe', await trust('ByocProbe'), (statements) => statements.map(({ Condition: _, ...rest }) => rest)),
      says: /^grants: role ByocProbe, trust policy: ProbeOwnCustomer \(Allow\) was added/,
    },
    {
      what: 'a role without its boundary',
      plant: () => call('iam', 'DeleteRolePermissionsBoundary', { RoleName: 'TenantWriter' }),
      says: /^grants: role TenantWriter, boundary: arn:\S+\/TenantBoundary is missing/,
    },
    {
      what: 'a shared role with a tenant of its own',
      plant: () => call('iam', 'TagRole', { RoleName: 'TenantReader', Tags: [{ Key: 'tenantid', Value: 'acme' }] }),
      says: /^grants: role TenantReader, tags: tenantid=acme is too much/,
    },
    {
      what: 'longer sessions',
      plant: () => call('iam', 'UpdateRole', { RoleName: 'TenantReader', MaxSessionDuration: '43200' }),
      says: /^grants: role TenantReader, longest session: is 43200 instead of 3600/,
    },
    {
      what: 'a role under Cordon’s path that nobody made',
      plant: async () => {
        const trusted = document(allow({ Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }));
        await call('iam', 'CreateRole', { RoleName: 'Shadow', Path: '/cordon/', AssumeRolePolicyDocument: trusted });
      },
      says: /^grants: role Shadow: was made by nobody of Cordon$/,
    },
    {
      what: 'a policy under Cordon’s path that nobody made',
      plant: () =>
        call('iam', 'CreatePolicy', {
          PolicyName: 'ShadowAccess',
          Path: '/cordon/',
          PolicyDocument: document(allow({ Action: 'sqs:SendMessage', Resource: queueArn })),
        }),
      says: /^grants: policy cordon\/ShadowAccess: was made by nobody of Cordon$/,
    },
    {
      what: 'a policy of Cordon on somebody else’s user',
      plant: () => call('iam', 'AttachUserPolicy', { UserName: 'operator', PolicyArn: policyArn('TenantReaderAccess') }),
      says: /^grants: attachment of policy cordon\/TenantReaderAccess to arn:\S+:user\/operator/,
    },
    {
      what: 'every wall taken from a role, so that it reaches all tenants',
      plant: async () => {
        await call('iam', 'DeleteRolePermissionsBoundary', { RoleName: 'TenantRevoker' });
        await detach('TenantRevoker', 'TenantIsolation');
        await put('TenantRevoker', 'Everything', allow({ Sid: 'Everything', Action: 'secretsmanager:*', Resource: '*' }));
      },
      code: 'POLICY_GRANTS_ACROSS',
      says: /^grants: role TenantRevoker: its policies together allow on another tenant’s data: secretsmanager:GetSecretValue on/,
    },
    {
      what: 'a key’s policy that lets a user decrypt',
      plant: async () => {
        const { Statement } = await keyPolicy(poolKey);
        const more = allow({
          Sid: 'Help',
          Principal: { AWS: `arn:aws:iam::${accountId}:user/operator` },
          Action: 'kms:Decrypt',
          Resource: '*',
        });
        await call('kms', 'PutKeyPolicy', { KeyId: poolKey, Policy: document(...Statement, more) });
      },
      says: /^grants: key \S+, policy: Help \(Allow\) was added; New access/,
    },
    {
      what: 'a grant',
      plant: () =>
        call('kms', 'CreateGrant', { KeyId: adminKey, GranteePrincipal: `arn:aws:iam::${customer}:root`, Operations: ['Decrypt'] }),
      says: new RegExp(`^grants: key ${adminKey}, grants: Decrypt to arn:aws:iam::${customer}:root is too much`),
    },
    {
      what: 'a queue that another account may fill',
      plant: async () => {
        const { Attributes } = await call('sqs', 'GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['Policy'] });
        const { Statement } = parsed((Attributes as { Policy: string }).Policy);
        const more = allow({ Sid: 'Theirs', Principal: { AWS: customer }, Action: 'sqs:SendMessage', Resource: queueArn });
        await call('sqs', 'SetQueueAttributes', { QueueUrl: queueUrl, Attributes: { Policy: document(...Statement, more) } });
      },
      says: new RegExp(`^grants: queue ${queueName}, policy: Theirs \\(Allow\\) was added; New access`),
    },
    {
      what: 'a function that another account may invoke',
      plant: () =>
        call('lambda', 'AddPermission', {
          FunctionName: functionName,
          StatementId: 'Theirs',
          Action: 'lambda:InvokeFunction',
          Principal: customer,
        }),
      says: new RegExp(`^grants: function ${functionName}, policy: was synthesized nowhere; Theirs \\(Allow\\) was added`),
    },
    {
      what: 'a function with another role',
      plant: () =>
        call('lambda', 'UpdateFunctionConfiguration', {
          FunctionName: (cloud.functionArns['evidence'] ?? '').split(':').at(-1),
          Role: `arn:aws:iam::${accountId}:role/${functionRole(/^TenantsFunctionRole/)}`,
        }),
      says: /^grants: function \S+, role: arn:\S+TenantsFunctionRole\S+ is too much; arn:\S+EvidenceFunctionRole\S+ is missing/,
    },
    {
      what: 'a bucket that everybody may write to',
      plant: async () => {
        const { Statement } = parsed((await call('s3', 'GetBucketPolicy', { Bucket: bucket }))['Policy']);
        const more = allow({ Sid: 'Write', Principal: '*', Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/*` });
        await call('s3', 'PutBucketPolicy', { Bucket: bucket, Policy: document(...Statement, more) });
      },
      code: 'POLICY_GRANTS_ACROSS',
      says: new RegExp(`^grants: bucket ${bucket}, policy: Write \\(Allow\\) was added; lets in whoever asks`),
    },
    {
      what: 'a bucket that takes ACLs',
      plant: () =>
        call('s3', 'PutPublicAccessBlock', {
          Bucket: bucket,
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: false,
            IgnorePublicAcls: true,
            BlockPublicPolicy: false,
            RestrictPublicBuckets: false,
          },
        }),
      says: new RegExp(`^grants: bucket ${bucket}, public access block: BlockPublicAcls is missing`),
    },
    {
      what: 'a bus that another account may put events on',
      plant: () => {
        const Resource = `arn:aws:events:${region}:${accountId}:event-bus/${eventBus}`;
        const Policy = document(
          allow({ Sid: 'Theirs', Principal: { AWS: `arn:aws:iam::${customer}:root` }, Action: 'events:PutEvents', Resource }),
        );
        return call('events', 'PutPermission', { EventBusName: eventBus, Policy });
      },
      says: new RegExp(`^grants: event bus ${eventBus}, policy: was synthesized nowhere; Theirs \\(Allow\\) was added`),
    },
    {
      what: 'a policy of the logs that reaches the event log',
      plant: () =>
        call('logs', 'PutResourcePolicy', {
          policyName: 'theirs',
          policyDocument: document(
            allow({ Sid: 'Write', Principal: { Service: 'es.amazonaws.com' }, Action: 'logs:PutLogEvents', Resource: '*' }),
          ),
        }),
      says: /^grants: log policy theirs: was made by nobody of Cordon/,
    },
    {
      what: 'a platform secret that another account may read',
      plant: () =>
        call('secretsmanager', 'PutResourcePolicy', {
          SecretId: secretArn,
          ResourcePolicy: document(
            allow({ Sid: 'Theirs', Principal: { AWS: customer }, Action: 'secretsmanager:GetSecretValue', Resource: '*' }),
          ),
        }),
      says: /^grants: secret \S+, policy: was synthesized nowhere; Theirs \(Allow\) was added; New access/,
    },
    {
      what: 'a table that everybody may read',
      plant: () =>
        call('dynamodb', 'PutResourcePolicy', {
          ResourceArn: tableArn,
          Policy: document(allow({ Sid: 'Open', Principal: { AWS: '*' }, Action: 'dynamodb:GetItem', Resource: tableArn })),
        }),
      code: 'POLICY_GRANTS_ACROSS',
      says: /^grants: table \S+, policy: was synthesized nowhere; Open \(Allow\) was added; lets in whoever asks/,
    },
    {
      what: 'a dedicated tenant’s role as an earlier version made it',
      plant: () => detach(`${own}.writer`, 'Revoked'),
      says: new RegExp(
        `^grants: role ${own}\\.writer, attached policies: arn:\\S+/Revoked is missing; remedy: cordon dedicated upgrade ${on.own.tenantId}`,
      ),
    },
    {
      what: 'a dedicated tenant’s role that another’s may take',
      plant: async () =>
        setTrust(own, await trust(own), (statements) => [
          ...statements,
          allow({
            Sid: 'Other',
            Principal: { AWS: `arn:aws:iam::${accountId}:role/cordon/TenantAgent-${on.other.tenantId}` },
            Action: 'sts:AssumeRole',
          }),
        ]),
      says: new RegExp(`^grants: role ${own}, trust policy: Other \\(Allow\\) was added`),
    },
    {
      what: 'a dedicated tenant’s role that carries another’s tag',
      plant: () => call('iam', 'TagRole', { RoleName: own, Tags: [{ Key: 'TenantId', Value: on.other.tenantId }] }),
      says: new RegExp(`^grants: role ${own}, tags: TenantId=${on.other.tenantId} is too much; TenantId=${on.own.tenantId} is missing`),
    },
    {
      what: 'a dedicated tenant’s key without its refusal',
      plant: async () => {
        const { Statement } = await keyPolicy(ownKey);
        const Policy = document(...Statement.filter(({ Sid }) => Sid !== 'DenyUseByOthers'));
        await call('kms', 'PutKeyPolicy', { KeyId: ownKey, Policy });
      },
      says: new RegExp(`^grants: key ${ownKey}, policy: DenyUseByOthers \\(Deny\\) was taken out or changed`),
    },
  ];
}
