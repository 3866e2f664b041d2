import type { PolicyDocument } from '../../../local/iam/policy.ts';
import { anothersId, connectorArn, externalId, platform, policyOf, trust } from './customer-account.ts';

/** A mistake that customers make with the trust policy, and what they are to be told. */
export interface UnsoundRole {
  readonly role: string;
  readonly trust: PolicyDocument;
  readonly code: string;
  readonly says: RegExp;
  readonly advises: RegExp;
}

export const byArn = { ArnEquals: { 'aws:PrincipalArn': connectorArn } };
export const byId = { StringEquals: { 'sts:ExternalId': externalId } };

/** The trust policy with another comparison of the external ID. */
export function withId(operator: string, value: unknown, more: object = {}): PolicyDocument {
  return trust({ Condition: { [operator]: { 'sts:ExternalId': value }, ...byArn, ...more } });
}

/** The right statement, and another one next to it. */
export function twoStatements(over: Record<string, unknown>): PolicyDocument {
  return policyOf([trust().Statement, trust({ Sid: 'Second', ...over }).Statement].flat());
}

const toName = /Set "Principal" to \{"AWS": "arn:aws:iam::111122223333:root"\}/;
const toCompare = /"StringEquals": \{"sts:ExternalId": "…"\} with the one external ID/;
const toDemand = /"ArnEquals": \{"aws:PrincipalArn": "arn:aws:iam::111122223333:role\/cordon\/ByocConnector"\}/;
const roles = (code: string, ...rows: readonly (readonly [string, RegExp, RegExp, PolicyDocument])[]): readonly UnsoundRole[] =>
  rows.map(([role, says, advises, document]) => ({ role, trust: document, code, says, advises }));

const wide = { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${platform}:role/cordon/*` } };
const ofAccount = { StringEquals: { 'sts:ExternalId': externalId, 'aws:PrincipalAccount': platform } };
const start = externalId.slice(0, 20);
const end = externalId.slice(-4);

/** The attempts find these. */
export const triedRoles: readonly UnsoundRole[] = [
  ...roles(
    'EXTERNAL_ID_NOT_REQUIRED',
    ['trusts everyone', /every AWS account/, toName, trust({ Principal: '*', Condition: undefined })],
    ['trusts everyone, in a list', /every AWS account/, toName, trust({ Principal: { AWS: ['*'] }, Condition: undefined })],
    ['allows everyone all of STS', /every AWS account/, toName, trust({ Principal: '*', Action: 'sts:*', Condition: undefined })],
    ['trusts the account without any condition', /no condition on sts:ExternalId/, toDemand, trust({ Condition: undefined })],
    ['trusts the account without external ID', /no condition on sts:ExternalId/, toCompare, trust({ Condition: byArn })],
    ['names every ID but one', /StringNotEquals, which lets in every ID but/, toCompare, withId('StringNotEquals', anothersId)],
    [
      'uses ForAllValues',
      /ForAllValues:StringEquals, which also holds when no external ID is given/,
      toCompare,
      withId('ForAllValues:StringEquals', externalId),
    ],
    [
      'uses IfExists',
      /StringEqualsIfExists, which also holds when no external ID is given/,
      toCompare,
      withId('StringEqualsIfExists', externalId),
    ],
    ['uses IfExists with a wildcard', /StringLikeIfExists, which also.*wildcard/, toCompare, withId('StringLikeIfExists', '*')],
    ['has a second statement without external ID', /Statement "Second".*no condition on/, toCompare, twoStatements({ Condition: byArn })],
  ),
  ...roles(
    'EXTERNAL_ID_NOT_CHECKED',
    ['has a wildcard as external ID', /StringLike and a wildcard/, toCompare, withId('StringLike', '*')],
    ['has a wildcard next to the right ID', /StringLike and a wildcard/, toCompare, withId('StringLike', [externalId, '*'])],
    ['has a wildcard at the end of the right ID', /only a part of it.*wildcard/, toCompare, withId('StringLike', `${start}*`)],
    [
      'asks that there is an ID, not which',
      /not which/,
      toCompare,
      trust({ Condition: { Null: { 'sts:ExternalId': 'false' }, ...byArn } }),
    ],
    [
      'uses ForAnyValue with a wildcard',
      /ForAnyValue:StringLike and a wildcard.*keys with several values/,
      toCompare,
      withId('ForAnyValue:StringLike', ['*']),
    ],
  ),
  ...roles(
    'ANY_TENANT_ACCEPTED',
    ["has a wildcard over the form of Cordon's IDs", /another tenant.*wildcard/, toCompare, withId('StringLike', 'cordon-*')],
    ["accepts another tenant's ID too", /another tenant.*not the one/, toCompare, withId('StringEquals', [externalId, anothersId])],
    [
      "uses ForAnyValue with another tenant's ID",
      /ForAnyValue:StringEquals, a comparison for keys with several values/,
      toCompare,
      withId('ForAnyValue:StringEquals', [externalId, anothersId]),
    ],
  ),
  ...roles(
    'ANY_PRINCIPAL_ACCEPTED',
    ['trusts everyone who has the external ID', /every AWS account/, toDemand, trust({ Principal: '*', Condition: byId })],
    ['trusts the account without principal condition', /no condition on the calling role/, toDemand, trust({ Condition: byId })],
    ['has a wildcard as principal condition', /fits other roles/, toDemand, trust({ Condition: { ...byId, ...wide } })],
    ['demands the account of the caller only', /no condition on the calling role/, toDemand, trust({ Condition: ofAccount })],
  ),
];

/** These let in nobody whom the probe can be: the policy says it. */
export const readRoles: readonly UnsoundRole[] = [
  ...roles('ANY_TENANT_ACCEPTED', [
    'accepts an ID that only another tenant knows',
    /not the one of this connection/,
    toCompare,
    withId('StringEquals', [externalId, 'cordon-234567abcdefghijklmnopqrstuvwxyz']),
  ]),
  ...roles('EXTERNAL_ID_NOT_CHECKED', [
    'has a wildcard at the start of the right ID',
    /StringLike and a wildcard/,
    toCompare,
    withId('StringLike', `*${end}`),
  ]),
];
