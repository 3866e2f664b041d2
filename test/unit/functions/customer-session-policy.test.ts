import { describe, expect, it } from 'vitest';
import { customerSessionPolicy } from '../../../functions/broker/customer-session-policy.ts';
import type { AwsScope } from '../../../functions/providers/egress-adapter.ts';
import { compilePolicy, evaluate, requestContext } from '../../../local/iam/evaluate.ts';
import { account } from './customer-role-world.ts';

const everything = compilePolicy('AdministratorAccess', 'identity', {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }],
});
const bedrock: AwsScope = { service: 'bedrock', region: 'eu-central-1' };
const dynamodb: AwsScope = { service: 'dynamodb', region: 'us-east-1' };
const s3: AwsScope = { service: 's3', region: 'us-east-1' };
const sqs: AwsScope = { service: 'sqs', region: 'us-east-1' };
const profile = `arn:aws:bedrock:eu-central-1:${account}:inference-profile/eu.amazon.nova-lite-v1:0`;
const table = `arn:aws:dynamodb:us-east-1:${account}:table/cordon-orders`;

/** What IAM decides for a session, narrowed by the policy, of a role that its owner made an administrator. */
function isAllowed(scope: AwsScope, action: string, resource: string, over: Record<string, string> = {}): boolean {
  const session = compilePolicy('session', 'session', JSON.parse(customerSessionPolicy(scope, account)));
  const arn = `arn:aws:sts::${account}:assumed-role/cordon.acme.abcd2345/acme`;
  return evaluate({
    principal: { kind: 'role-session', accountId: account, arn, roleArn: `arn:aws:iam::${account}:role/cordon.acme.abcd2345` },
    action,
    resource,
    context: requestContext({ 'aws:RequestedRegion': scope.region, 'aws:ResourceAccount': account, ...over }),
    identity: [everything],
    session: [session],
    resourceAccountId: account,
  }).allowed;
}

describe('B7 the policy that narrows a session of a customer’s role', () => {
  it.each<[AwsScope, string, string, Record<string, string>]>([
    [bedrock, 'bedrock:InvokeModel', 'arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0', {}],
    [bedrock, 'bedrock:InvokeModelWithResponseStream', profile, {}],
    [
      bedrock,
      'bedrock:InvokeModel',
      'arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0',
      { 'bedrock:InferenceProfileArn': profile, 'aws:RequestedRegion': 'eu-west-1' },
    ],
    [dynamodb, 'dynamodb:GetItem', table, {}],
    [dynamodb, 'dynamodb:BatchGetItem', table, {}],
    [dynamodb, 'dynamodb:Query', `${table}/index/by-day`, {}],
    [s3, 's3:GetObject', 'arn:aws:s3:::cordon-docs/a/b.txt', {}],
    [sqs, 'sqs:SendMessage', `arn:aws:sqs:us-east-1:${account}:cordon-jobs`, {}],
    [sqs, 'sqs:GetQueueUrl', `arn:aws:sqs:us-east-1:${account}:cordon-jobs`, {}],
  ])('for %j lets %s on %s pass', (scope, action, resource, over) => {
    expect(isAllowed(scope, action, resource, over)).toBe(true);
  });

  it.each<[string, AwsScope, string, string, Record<string, string>]>([
    ['another action', dynamodb, 'dynamodb:PutItem', table, {}],
    ['the whole table', dynamodb, 'dynamodb:Scan', table, {}],
    ['another table', dynamodb, 'dynamodb:GetItem', `arn:aws:dynamodb:us-east-1:${account}:table/payroll`, {}],
    ['another region', dynamodb, 'dynamodb:GetItem', `arn:aws:dynamodb:us-west-2:${account}:table/cordon-orders`, {}],
    ['another account', dynamodb, 'dynamodb:GetItem', 'arn:aws:dynamodb:us-east-1:999988887777:table/cordon-orders', {}],
    ['another service', dynamodb, 'sqs:SendMessage', `arn:aws:sqs:us-east-1:${account}:cordon-jobs`, {}],
    ['another bucket', s3, 's3:GetObject', 'arn:aws:s3:::payroll/a', {}],
    ['another account’s bucket', s3, 's3:GetObject', 'arn:aws:s3:::cordon-docs/a', { 'aws:ResourceAccount': '999988887777' }],
    ['a bucket in another region', s3, 's3:GetObject', 'arn:aws:s3:::cordon-docs/a', { 'aws:RequestedRegion': 'us-west-2' }],
    ['writing', s3, 's3:PutObject', 'arn:aws:s3:::cordon-docs/a', {}],
    ['reading messages', sqs, 'sqs:ReceiveMessage', `arn:aws:sqs:us-east-1:${account}:cordon-jobs`, {}],
    ['a model of another region', bedrock, 'bedrock:InvokeModel', 'arn:aws:bedrock:eu-west-1::foundation-model/m', {}],
    [
      'a model reached through another region’s profile',
      bedrock,
      'bedrock:InvokeModel',
      'arn:aws:bedrock:us-east-1::foundation-model/m',
      { 'bedrock:InferenceProfileArn': profile.replace('eu-central-1', 'us-east-1') },
    ],
    ['a key of its own', bedrock, 'bedrock:CallWithBearerToken', '*', {}],
    ['taking another role', bedrock, 'sts:AssumeRole', `arn:aws:iam::${account}:role/admin`, {}],
    ['its own role', bedrock, 'iam:GetRole', `arn:aws:iam::${account}:role/cordon.acme.abcd2345`, {}],
  ])('stops %s, however much the role itself may do', (_what, scope, action, resource, over) => {
    expect(isAllowed(scope, action, resource, over)).toBe(false);
  });

  it.each([bedrock, dynamodb, s3, sqs])('for %j is short enough for STS', (scope) => {
    expect(customerSessionPolicy(scope, account).length).toBeLessThan(1024);
  });
});
