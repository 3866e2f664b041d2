/** Changes of what resources' own policies say, each as an administrator would make it, and what the audit has to say of it. */
import { z } from 'zod';
import type { TestCloud } from './cloud.ts';
import type { DedicatedTenants } from './dedicated-tenants.ts';
import { allow, customer, policyText as document, type Fields, type Planted, plantingTools } from './planting.ts';

const queueAnswer = z.object({ Attributes: z.object({ Policy: z.string() }) });

export function plantedResources(test: TestCloud, on: DedicatedTenants): readonly Planted[] {
  const { cloud } = test;
  const { accountId, region, outputs } = cloud;
  const { call, physical, statementsIn, alarmTopic } = plantingTools(test);
  const keyPolicy = async (KeyId: string): Promise<readonly Fields[]> =>
    statementsIn((await call('kms', 'GetKeyPolicy', { KeyId }))['Policy']);
  const queueUrl = cloud.queues['byoc']?.url ?? '';
  const queueName = queueUrl.split('/').at(-1) ?? '';
  const queueArn = `arn:aws:sqs:${region}:${accountId}:${queueName}`;
  const bucket = outputs['TemplateBucket'] ?? '';
  const eventBus = outputs['EventBusName'] ?? '';
  const adminKey = physical(/^ProviderAdminsKey/, 'AWS::KMS::Key');
  const poolKey = outputs['TenantKeyArn']?.split('/').at(-1) ?? '';
  const secretArn = physical(/^ProviderAdminsOpenAi/, 'AWS::SecretsManager::Secret');
  const tableArn = `arn:aws:dynamodb:${region}:${accountId}:table/${outputs['RegistryTable']}`;
  const nameOf = (name: string): string => (cloud.functionArns[name] ?? '').split(':').at(-1) ?? '';
  const functionName = nameOf('sessions');
  const ownKey = on.own.keyArn.split('/').at(-1) ?? '';

  return [
    {
      what: 'a key’s policy that lets a user decrypt',
      plant: async () => {
        const Statement = await keyPolicy(poolKey);
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
        const answer = queueAnswer.parse(await call('sqs', 'GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['Policy'] }));
        const Statement = statementsIn(answer.Attributes.Policy);
        const more = allow({ Sid: 'Theirs', Principal: { AWS: customer }, Action: 'sqs:SendMessage', Resource: queueArn });
        await call('sqs', 'SetQueueAttributes', { QueueUrl: queueUrl, Attributes: { Policy: document(...Statement, more) } });
      },
      says: new RegExp(`^grants: queue ${queueName}, policy: Theirs \\(Allow\\) was added; New access`),
    },
    {
      what: 'a topic of alarms that another account may publish to',
      plant: async () => {
        const { arn, statements, say } = await alarmTopic();
        await say(...statements, allow({ Sid: 'Theirs', Principal: { AWS: customer }, Action: 'sns:Publish', Resource: arn }));
      },
      says: /^grants: topic \S*Alarms\S*, policy: Theirs \(Allow\) was added; New access/,
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
          FunctionName: nameOf('evidence'),
          Role: `arn:aws:iam::${accountId}:role/${physical(/^TenantsFunctionRole/, 'AWS::IAM::Role')}`,
        }),
      says: /^grants: function \S+, role: arn:\S+TenantsFunctionRole\S+ is too much; arn:\S+EvidenceFunctionRole\S+ is missing/,
    },
    {
      what: 'a bucket that everybody may write to',
      plant: async () => {
        const Statement = statementsIn((await call('s3', 'GetBucketPolicy', { Bucket: bucket }))['Policy']);
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
      what: 'a dedicated tenant’s key without its refusal',
      plant: async () => {
        const Statement = await keyPolicy(ownKey);
        const Policy = document(...Statement.filter(({ Sid }) => Sid !== 'DenyUseByOthers'));
        await call('kms', 'PutKeyPolicy', { KeyId: ownKey, Policy });
      },
      says: new RegExp(`^grants: key ${ownKey}, policy: DenyUseByOthers \\(Deny\\) was taken out or changed`),
    },
  ];
}
