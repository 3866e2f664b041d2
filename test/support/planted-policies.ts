/** Changes of deployed roles and managed policies, each as an administrator would make it, and what the audit has to say of it. */
import { z } from 'zod';
import type { TestCloud } from './cloud.ts';
import type { DedicatedTenants } from './dedicated-tenants.ts';
import { allow, policyText as document, type Fields, type Planted, plantingTools } from './planting.ts';

const policyAnswer = z.object({ Policy: z.object({ DefaultVersionId: z.string() }) });
const versionAnswer = z.object({ PolicyVersion: z.object({ Document: z.string() }) });
const roleAnswer = z.object({ Role: z.object({ AssumeRolePolicyDocument: z.string() }) });

export function plantedPolicies(test: TestCloud, on: DedicatedTenants): readonly Planted[] {
  const { accountId, region } = test.cloud;
  const { call, policyArn, physical, statementsIn, attach, detach, put } = plantingTools(test);
  const functionRole = (id: RegExp): string => physical(id, 'AWS::IAM::Role');
  const putVersion = (name: string, PolicyDocument: string): Promise<unknown> =>
    call('iam', 'CreatePolicyVersion', { PolicyArn: policyArn(name), PolicyDocument, SetAsDefault: true });
  const managed = async (name: string): Promise<readonly Fields[]> => {
    const PolicyArn = policyArn(name);
    const VersionId = policyAnswer.parse(await call('iam', 'GetPolicy', { PolicyArn })).Policy.DefaultVersionId;
    return statementsIn(versionAnswer.parse(await call('iam', 'GetPolicyVersion', { PolicyArn, VersionId })).PolicyVersion.Document);
  };
  const changeTrust = async (RoleName: string, change: (statements: readonly Fields[]) => readonly Fields[]): Promise<unknown> => {
    const { Role } = roleAnswer.parse(await call('iam', 'GetRole', { RoleName }));
    const PolicyDocument = document(...change(statementsIn(Role.AssumeRolePolicyDocument)));
    return call('iam', 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument });
  };
  const queueArn = `arn:aws:sqs:${region}:${accountId}:any`;
  const own = `TenantAgent-${on.own.tenantId}`;

  return [
    {
      what: 'a Deny taken out of the isolation policy',
      plant: async () => {
        const Statement = await managed('TenantIsolation');
        await putVersion('TenantIsolation', document(...Statement.filter(({ Sid }) => Sid !== 'DenySecretsOfOtherTags')));
      },
      says: /^grants: policy cordon\/TenantIsolation, document: DenySecretsOfOtherTags \(Deny\) was taken out or changed/,
    },
    {
      what: 'an Allow widened to a wildcard',
      plant: async () => {
        const Statement = await managed('TenantAuditorAccess');
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
      plant: () =>
        changeTrust('TenantSupplier', (statements) => [
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
      plant: () =>
        changeTrust('TenantReader', (statements) => [
          ...statements,
          allow({ Sid: 'All', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
        ]),
      code: 'POLICY_GRANTS_ACROSS',
      says: /^grants: role TenantReader, trust policy: All \(Allow\) was added; lets in whoever asks/,
    },
    {
      what: 'a trust policy that has lost a condition',
      plant: () => changeTrust('ByocProbe', (statements) => statements.map(({ Condition: _, ...rest }) => rest)),
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
      what: 'a dedicated tenant’s role as an earlier version made it',
      plant: () => detach(`${own}.writer`, 'Revoked'),
      says: new RegExp(
        `^grants: role ${own}\\.writer, attached policies: arn:\\S+/Revoked is missing; remedy: cordon dedicated upgrade ${on.own.tenantId}`,
      ),
    },
    {
      what: 'a dedicated tenant’s role that another’s may take',
      plant: () =>
        changeTrust(own, (statements) => [
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
  ];
}
