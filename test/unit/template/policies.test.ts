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

  describe('of functions, which have no document but permissions', () => {
    const permission = (properties: object) => ({
      Type: 'AWS::Lambda::Permission',
      Properties: { Action: 'lambda:InvokeFunction', FunctionName: { 'Fn::GetAtt': ['Work', 'Arn'] }, ...properties },
    });
    const functions = {
      Work: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'work' } },
      Alone: { Type: 'AWS::Lambda::Function', Properties: {} },
    };
    const Resource = `arn:aws:lambda:us-east-1:${account}:function:work`;

    it('makes one document of those of one function, in the words that Lambda says them in', () => {
      const rule = { 'Fn::GetAtt': ['Rule', 'Arn'] };
      const found = policiesOf({
        Resources: {
          Rule: { Type: 'AWS::Events::Rule', Properties: { Name: 'rule' } },
          Events: permission({ Principal: 'events.amazonaws.com', SourceArn: rule, SourceAccount: { Ref: 'AWS::AccountId' } }),
          ...functions,
          Other: permission({ Principal: '444455556666', FunctionName: { Ref: 'Work' }, EventSourceToken: 'token' }),
          Organization: permission({ Principal: '*', PrincipalOrgID: 'o-1234567890' }),
        },
      });
      const statement = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource };
      expect(found).toEqual([
        {
          kind: 'resource',
          name: 'Work',
          logicalId: 'Work',
          document: {
            Version: '2012-10-17',
            Statement: [
              {
                ...statement,
                Sid: 'Events',
                Principal: { Service: 'events.amazonaws.com' },
                Condition: {
                  ArnLike: { 'aws:SourceArn': `arn:aws:events:us-east-1:${account}:rule/rule` },
                  StringEquals: { 'aws:SourceAccount': account },
                },
              },
              {
                ...statement,
                Sid: 'Other',
                Principal: { AWS: 'arn:aws:iam::444455556666:root' },
                Condition: { StringEquals: { 'lambda:EventSourceToken': 'token' } },
              },
              {
                ...statement,
                Sid: 'Organization',
                Principal: '*',
                Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1234567890' } },
              },
            ],
          },
        },
      ]);
    });

    it.each([
      ['of a function that is not in the template', { Principal: '*', FunctionName: 'elsewhere' }, /Bad: elsewhere is no function/],
      ['with a property that is not known', { Principal: '*', FunctionUrlAuthType: 'NONE' }, /Bad: .*FunctionUrlAuthType/],
      ['for nobody', {}, /Bad: .*\n?.*Principal/],
    ])('refuses one %s', (_, properties, message) => {
      expect(() => policiesOf({ Resources: { ...functions, Bad: permission(properties) } })).toThrow(message);
    });
  });

  it('reads the policy of a topic', () => {
    const found = policiesOf({
      Resources: {
        Topic: { Type: 'AWS::SNS::Topic', Properties: {} },
        Tell: { Type: 'AWS::SNS::TopicPolicy', Properties: { Topics: [{ Ref: 'Topic' }], PolicyDocument: document({ Ref: 'Topic' }) } },
      },
    });
    expect(found).toMatchObject([
      {
        kind: 'resource',
        name: 'Tell',
        document: { Statement: [{ Resource: expect.stringMatching(/^arn:aws:sns:us-east-1:111122223333:Cordon-Topic-/) }] },
      },
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
