import { describe, expect, it } from 'vitest';
import { probeRole } from '../../../functions/byoc/probe/probe-role.ts';
import { bedrock, createCustomerAccount, customer, input, policyOf, roleArn, self, trust } from './customer-account.ts';
import { byArn } from './unsound-roles.ts';

describe('B2 what the role may do', () => {
  const all = ['bedrock', 'dynamodb', 's3', 'sqs'] as const;
  const wanted = { ...input, services: all, regions: ['us-east-1', 'eu-west-1'] };

  it('names what is missing, by service and Region', async () => {
    const { verdict, reason } = await probeRole(createCustomerAccount().deps, wanted);
    expect({ verdict, code: reason?.code }).toEqual({ verdict: 'unsound', code: 'PERMISSION_MISSING' });
    expect(reason?.message).toContain('bedrock:InvokeModel on foundation models in eu-west-1');
    expect(reason?.message).not.toContain('foundation models in us-east-1');
    expect(reason?.message).toContain(`dynamodb:Query on arn:aws:dynamodb:us-east-1:${customer}:table/cordon-dry-check`);
    expect(reason?.message).toMatch(/, and \d+ more\.$/);
  });

  it('is content with the models of one vendor', async () => {
    const narrow = { ...bedrock, Resource: 'arn:aws:bedrock:us-east-1::foundation-model/amazon.*' };
    expect(await probeRole(createCustomerAccount({ policies: policyOf([self, narrow]) }).deps, input)).toMatchObject({
      verdict: 'sound',
      findings: [],
    });
  });

  it('finds a policy that denies what another one allows', async () => {
    const deny = { Effect: 'Deny', Action: 'bedrock:InvokeModelWithResponseStream', Resource: '*' };
    const { reason } = await probeRole(createCustomerAccount({ policies: policyOf([self, bedrock, deny]) }).deps, input);
    expect(reason).toMatchObject({
      code: 'PERMISSION_MISSING',
      message: expect.stringContaining('bedrock:InvokeModelWithResponseStream on'),
    });
    expect(reason?.message).not.toContain('bedrock:InvokeModel on');
  });

  it.each([
    [
      'everything',
      { Effect: 'Allow', Action: '*', Resource: '*' },
      /iam:CreateUser.*sts:AssumeRole.*secretsmanager:GetSecretValue.*s3:GetObject.*iam:PutRolePolicy/,
    ],
    ['making users', { Effect: 'Allow', Action: 'iam:Create*', Resource: '*' }, /iam:CreateUser/],
    ['assuming every role', { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }, /sts:AssumeRole/],
    ['reading every secret', { Effect: 'Allow', Action: 'secretsmanager:Get*', Resource: '*' }, /secretsmanager:GetSecretValue/],
    ['reading every bucket', { Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::*' }, /s3:GetObject/],
    [
      'reading every bucket in this Region',
      { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: bedrock.Condition },
      /s3:GetObject/,
    ],
    ['changing itself', { Effect: 'Allow', Action: 'iam:UpdateAssumeRolePolicy', Resource: roleArn }, /iam:UpdateAssumeRolePolicy/],
  ])('reports a role that is sound and wide enough for %s', async (_, statement, says) => {
    const { verdict, findings } = await probeRole(createCustomerAccount({ policies: policyOf([self, bedrock, statement]) }).deps, input);
    expect({ verdict, codes: findings.map(({ code }) => code) }).toEqual({ verdict: 'sound', codes: ['ADMINISTRATOR_WIDE'] });
    expect(findings[0]?.message).toMatch(says);
  });

  it('says so when the role may not describe itself', async () => {
    const { verdict, findings } = await probeRole(createCustomerAccount({ policies: policyOf([bedrock]) }).deps, input);
    expect({ verdict, codes: findings.map(({ code }) => code) }).toEqual({
      verdict: 'sound',
      codes: ['TRUST_NOT_SHOWN', 'PERMISSIONS_NOT_SHOWN'],
    });
  });

  it('asks the simulator only when the role is to be trusted', async () => {
    const account = createCustomerAccount({ trust: trust({ Condition: byArn }) });
    await probeRole(account.deps, input);
    expect(account.simulated).toEqual([]);
  });
});
