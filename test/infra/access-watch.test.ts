import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { watchEnv } from '../../functions/isolation/watch/env.ts';
import { compilePattern } from '../../local/services/eventbridge-pattern.ts';
import { readTemplate, resourcesOf } from '../support/template.ts';

const template = readTemplate();
const account = '111122223333';
const rule = z.object({ State: z.string(), EventPattern: z.record(z.string(), z.unknown()), EventBusName: z.undefined().optional() });
const [found] = resourcesOf(template, 'AWS::Events::Rule').filter(([id]) => id.startsWith('AccessWatchRecords'));
const records = rule.parse(found?.[1].Properties);
const matches = compilePattern(JSON.stringify(records.EventPattern));

const event = (service: string, eventName: string, detail: object) => ({
  source: `aws.${service}`,
  'detail-type': 'AWS API Call via CloudTrail',
  detail: { eventSource: `${service}.amazonaws.com`, eventName, ...detail },
});
const asking = (service: string, eventName: string, requestParameters: object) => event(service, eventName, { requestParameters });
const arn = `arn:aws:secretsmanager:us-east-1:${account}:secret:`;
const refused = (service: string, resource: string) =>
  event(service, 'Any', {
    requestParameters: null,
    errorCode: 'AccessDenied',
    errorMessage: `User: x is not authorized to perform: y on resource: ${resource} because …`,
  });

describe('E8 T3 the rule that hears CloudTrail', () => {
  it('is on the default bus and gets read-only management events: an ordinary enabled one would hear nothing of a secret that is read', () => {
    expect(records.State).toBe('ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS');
  });

  it.each([
    ['a tenant’s secret by its name', asking('secretsmanager', 'GetSecretValue', { secretId: 'cordon/acme/main' })],
    ['by its ARN', asking('secretsmanager', 'DescribeSecret', { secretId: `${arn}cordon/acme/main-AbCdEf` })],
    ['many at once', asking('secretsmanager', 'BatchGetSecretValue', { secretIdList: ['x', 'cordon/acme/main'] })],
    ['one that is made', asking('secretsmanager', 'CreateSecret', { name: 'cordon/acme/main' })],
    ['one of Cordon’s roles', asking('sts', 'AssumeRole', { roleArn: `arn:aws:iam::${account}:role/cordon/TenantReader` })],
    ['a refusal that keeps no parameters', refused('secretsmanager', 'cordon/acme/main')],
    ['a refused role', refused('sts', `arn:aws:iam::${account}:role/cordon/TenantAgent-acme`)],
    ['a key with a tenant in its context', asking('kms', 'Decrypt', { encryptionContext: { TenantId: 'acme' } })],
    ['a grant', asking('kms', 'CreateGrant', { keyId: 'k' })],
    ['a key’s policy', asking('kms', 'PutKeyPolicy', { keyId: 'k' })],
  ])('hears of %s', (_, one) => {
    expect(matches(one)).toBe(true);
  });

  it.each([
    ['a secret of the platform', asking('secretsmanager', 'GetSecretValue', { secretId: `${arn}OpenAiAdmin-AbCdEf` })],
    ['another application’s', asking('secretsmanager', 'GetSecretValue', { secretId: 'app/cordon/main' })],
    ['other roles', asking('sts', 'AssumeRole', { roleArn: `arn:aws:iam::${account}:role/Deploy` })],
    [
      'a key that Secrets Manager opens a secret with',
      asking('kms', 'Decrypt', { encryptionContext: { SecretARN: `${arn}cordon/acme/main` } }),
    ],
    ['who one is', asking('sts', 'GetCallerIdentity', {})],
    ['what somebody else says', { ...asking('secretsmanager', 'GetSecretValue', { secretId: 'cordon/acme/main' }), source: 'cordon' }],
  ])('does not hear of %s, which costs nothing then', (_, one) => {
    expect(matches(one)).toBe(false);
  });
});

describe('T6 the function that watches', () => {
  it('is configured with what it asks for and nothing else', () => {
    const [watcher] = resourcesOf(template, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('AccessWatchFunction'));
    const { Variables } = z.object({ Variables: z.record(z.string(), z.unknown()) }).parse(watcher?.[1].Properties['Environment']);
    expect(Object.keys(Variables).sort()).toEqual(Object.keys(watchEnv.shape).sort());
  });

  it('may tell findings and end what named a decoy, and may publish nothing else', () => {
    const [role] = resourcesOf(template, 'AWS::IAM::Role').filter(([id]) => id.startsWith('AccessWatchFunctionRole'));
    const text = JSON.stringify(role?.[1].Properties['Policies']);
    const statements = z
      .array(z.object({ PolicyDocument: z.object({ Statement: z.array(z.looseObject({ Sid: z.string() })) }) }))
      .parse(role?.[1].Properties['Policies'])
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    const publishing = statements.filter((one) => JSON.stringify(one).includes('events:PutEvents'));
    expect(publishing.map(({ Sid, Condition }) => [Sid, Condition])).toEqual([
      [
        'EndWhatNamedDecoys',
        { StringEquals: { 'events:source': 'cordon.platform', 'events:detail-type': ['AccessSuspended', 'RevocationRequested'] } },
      ],
      [
        'TellFindings',
        { StringEquals: { 'events:source': 'cordon', 'events:detail-type': ['EventHandlingFailed', 'IsolationViolationDetected'] } },
      ],
    ]);
    expect(text).not.toMatch(/sts:AssumeRole|lambda:InvokeFunction/);
  });
});
