import { describe, expect, it } from 'vitest';
import { policiesOf } from '../../../local/template/policies.ts';

const account = '111122223333';
const document = (Resource: unknown) => ({ Version: '2012-10-17', Statement: [{ Sid: 'One', Effect: 'Allow', Action: 'x:Y', Resource }] });
const trust = (Principal: unknown) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal }] });
const template = {
  Parameters: { Stage: { Type: 'String', Default: 'dev' } },
  Resources: {
    Table: { Type: 'AWS::DynamoDB::Table', Properties: {} },
    Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: document('*') } },
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
    Rule: { Type: 'AWS::Events::Rule', Properties: { Name: 'rule', EventBusName: { Ref: 'Bus' } } },
    Log: { Type: 'AWS::Logs::LogGroup', Properties: {} },
    Managed: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { ManagedPolicyName: 'Access', Path: '/own/', PolicyDocument: document({ 'Fn::GetAtt': ['Table', 'Arn'] }) },
    },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'Reader',
        Path: '/own/',
        AssumeRolePolicyDocument: trust({ AWS: { 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:root' } }),
        Policies: [{ PolicyName: 'Inline', PolicyDocument: document({ Ref: 'Stage' }) }],
      },
    },
    Attached: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'More',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: document([{ 'Fn::GetAtt': ['Key', 'Arn'] }, { 'Fn::GetAtt': ['Role', 'Arn'] }, { Ref: 'Managed' }]),
      },
    },
    Write: {
      Type: 'AWS::Logs::ResourcePolicy',
      Properties: {
        PolicyName: 'events',
        PolicyDocument: {
          'Fn::Join': ['', ['{"Statement":[{"Effect":"Allow","Action":"x:Y","Resource":"', { 'Fn::GetAtt': ['Rule', 'Arn'] }, '"}]}']],
        },
      },
    },
  },
};

describe('policiesOf', () => {
  const policies = policiesOf(template);
  const resourcesOf = (name: string, kind: string) => {
    const found = policies.find((policy) => policy.name === name && policy.kind === kind)?.document.Statement;
    return [found ?? []].flat().map(({ Resource }) => Resource);
  };

  it('gives each document of a template by name and kind', () => {
    expect(policies.map(({ name, kind, logicalId }) => [name, kind, logicalId])).toEqual([
      ['Key', 'key', 'Key'],
      ['Access', 'managed', 'Managed'],
      ['Reader', 'trust', 'Role'],
      ['Inline', 'inline', 'Role'],
      ['More', 'inline', 'Attached'],
      ['events', 'resource', 'Write'],
    ]);
  });

  it('resolves references to ARNs as they will be, and made-up IDs where AWS draws lots', () => {
    expect(resourcesOf('Access', 'managed')).toEqual([
      expect.stringMatching(/^arn:aws:dynamodb:us-east-1:111122223333:table\/Cordon-Table-[0-9A-F]{8}$/),
    ]);
    expect(resourcesOf('More', 'inline')).toEqual([
      [
        expect.stringMatching(/^arn:aws:kms:us-east-1:111122223333:key\/Cordon-Key-/),
        `arn:aws:iam::${account}:role/own/Reader`,
        `arn:aws:iam::${account}:policy/own/Access`,
      ],
    ]);
    expect(resourcesOf('events', 'resource')).toEqual([`arn:aws:events:us-east-1:${account}:rule/bus/rule`]);
    expect(policies.find(({ kind }) => kind === 'trust')?.document.Statement).toMatchObject([
      { Principal: { AWS: `arn:aws:iam::${account}:root` } },
    ]);
  });

  it('takes given parameters and another place', () => {
    const elsewhere = policiesOf(template, { accountId: '444455556666', region: 'eu-west-1', parameters: { Stage: 'live' } });
    expect(elsewhere.find(({ name }) => name === 'Inline')?.document.Statement).toMatchObject([{ Resource: 'live' }]);
    expect(elsewhere.find(({ name }) => name === 'Access')?.document.Statement).toMatchObject([
      { Resource: expect.stringContaining('eu-west-1:444455556666') },
    ]);
  });

  it('refuses a document with a member that no policy has', () => {
    const bad = {
      Resources: {
        Bad: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Statement: [{ Effect: 'Allow', Actions: 'kms:*', Resource: '*' }] } } },
      },
    };
    expect(() => policiesOf(bad)).toThrow(/Bad.*Actions/);
  });
});
