import { describe, expect, it } from 'vitest';
import { diagnoseTrust } from '../../../functions/byoc/probe/diagnose-trust.ts';
import { anothersId, connectorArn, externalId, platform, policyOf, probeArn, trust } from './customer-account.ts';
import { byArn, byId, withId } from './unsound-roles.ts';

const expected = { platformAccountId: platform, connectorRoleArn: connectorArn, externalId };
const codesOf = (document: unknown): readonly string[] | undefined =>
  diagnoseTrust(JSON.stringify(document), expected)?.map(({ code }) => code);
const naming = (AWS: unknown, Condition: object = { ...byId, ...byArn }): unknown => trust({ Principal: { AWS }, Condition });

describe('B2 what is wrong with a trust policy', () => {
  it.each([
    ['the template', trust(), []],
    ['the account by its number', naming(platform), []],
    ['one statement that is no list', { Version: '2012-10-17', Statement: trust().Statement }, []],
    [
      'a condition with the ID, and a wildcard that only narrows',
      withId('StringEquals', externalId, { StringLike: { 'sts:ExternalId': '*' } }),
      [],
    ],
    ["another vendor's account, which is none of our business", naming('arn:aws:iam::999988887777:root', {}), []],
    ['a service', trust({ Principal: { Service: 'lambda.amazonaws.com' }, Condition: {} }), []],
    ['another action', trust({ Principal: '*', Action: 'sts:TagSession', Condition: {} }), []],
    ['a Deny', trust({ Effect: 'Deny', Principal: '*', Condition: {} }), []],
    ['everyone', trust({ Principal: '*', Condition: {} }), ['TRUSTS_EVERYONE', 'NO_PRINCIPAL_CONDITION', 'NO_EXTERNAL_ID']],
    ['everyone among others', naming([connectorArn, '*']), ['TRUSTS_EVERYONE']],
    ['an action by pattern', trust({ Principal: '*', Action: ['s3:*', 'STS:Assume*'] }), ['TRUSTS_EVERYONE']],
    ['every action but one', trust({ Principal: '*', Action: undefined, NotAction: 'sts:TagSession' }), ['TRUSTS_EVERYONE']],
    [
      'everyone by exception',
      trust({ Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam::999988887777:root' } }),
      ['TRUSTS_BY_EXCEPTION'],
    ],
    ["Cordon's role", naming(connectorArn), ['ROLE_AS_PRINCIPAL']],
    ["Cordon's role and another one", naming([connectorArn, probeArn], byId), ['ANOTHER_PRINCIPAL']],
    [
      'a principal condition that holds when nothing is given',
      trust({ Condition: { ...byId, 'ForAllValues:ArnEquals': byArn.ArnEquals } }),
      ['NO_PRINCIPAL_CONDITION'],
    ],
    [
      'a principal condition that excludes',
      trust({ Condition: { ...byId, ArnNotEquals: { 'aws:PrincipalArn': probeArn } } }),
      ['NO_PRINCIPAL_CONDITION'],
    ],
    [
      'a list of callers',
      trust({ Condition: { ...byId, ArnEquals: { 'aws:PrincipalArn': [connectorArn, probeArn] } } }),
      ['PRINCIPAL_CONDITION_WIDE'],
    ],
    ["only another tenant's ID", withId('StringEquals', anothersId), ['ANOTHER_EXTERNAL_ID']],
    [
      'an ID that must not be null, of any value',
      trust({ Condition: { ...byArn, Null: { 'sts:ExternalId': 'false' } } }),
      ['NO_EXTERNAL_ID'],
    ],
    ['an ID that must be null', trust({ Condition: { ...byArn, Null: { 'sts:ExternalId': true } } }), ['NO_EXTERNAL_ID']],
    ['a question mark', withId('StringLike', `${externalId.slice(0, -1)}?`), ['EXTERNAL_ID_WILDCARD']],
    ['a negation', withId('StringNotLike', 'cordon-*'), ['EXTERNAL_ID_NEGATED']],
    [
      'two flaws in one',
      withId('ForAnyValue:StringLikeIfExists', '*'),
      ['EXTERNAL_ID_IF_EXISTS', 'EXTERNAL_ID_WILDCARD', 'EXTERNAL_ID_FOR_ANY_VALUE'],
    ],
    ['a set operator for all values', withId('ForAllValues:StringEquals', [externalId]), ['EXTERNAL_ID_FOR_ALL_VALUES']],
    ['a comparison without regard to case', withId('StringEqualsIgnoreCase', externalId.toUpperCase()), ['EXTERNAL_ID_IGNORES_CASE']],
  ])('reads %s', (_, document, codes) => {
    expect(codesOf(document)).toEqual(codes);
  });

  it('names the statement by its Sid, or by its number', () => {
    const [first] = [trust().Statement].flat();
    const second = { ...first, Sid: undefined, Condition: byArn };
    const named = { ...second, Sid: `Backup${'x'.repeat(100)}` };
    const messages = diagnoseTrust(JSON.stringify(policyOf([first, second, named])), expected)?.map(({ message }) => message);
    expect(messages).toHaveLength(2);
    expect(messages?.[0]).toMatch(/^Statement 2 of the role's trust policy has no condition on sts:ExternalId/);
    expect(messages?.[1]).toMatch(/^Statement "Backupx{58}" of/);
  });

  it.each(['', 'no JSON', '[]', '{}', '{"Statement":[{"Effect":"Maybe"}]}', 'null'])('makes nothing of what is no policy: %s', (text) => {
    expect(diagnoseTrust(text, expected)).toBeUndefined();
  });
});
