import { describe, expect, it } from 'vitest';
import { probeRole } from '../../../functions/byoc/probe/probe-role.ts';
import {
  anothersId,
  bedrock,
  connectorArn,
  createCustomerAccount,
  externalId,
  input,
  policyOf,
  probeArn,
  roleArn,
  roleId,
  trust,
} from './customer-account.ts';
import { byId, readRoles, triedRoles, twoStatements, withId } from './unsound-roles.ts';

describe('B2 a role is trusted only when it refuses everyone else', () => {
  it('finds the role of the template sound, by eight calls in their order', async () => {
    const account = createCustomerAccount();
    const result = await probeRole(account.deps, input);
    expect(result).toEqual({
      verdict: 'sound',
      roleArn,
      roleId,
      findings: [],
      at: 1_000,
      steps: [
        { step: 'right', answer: 'allowed' },
        { step: 'identity', answer: 'allowed' },
        { step: 'missing', answer: 'refused', code: 'AccessDenied' },
        { step: 'wrong', answer: 'refused', code: 'AccessDenied' },
        { step: 'nearly-right', answer: 'refused', code: 'AccessDenied' },
        { step: 'other-tenant', answer: 'refused', code: 'AccessDenied' },
        { step: 'second-principal', answer: 'refused', code: 'AccessDenied' },
        { step: 'right-again', answer: 'allowed' },
      ],
    });
    expect(account.asked.map(({ from }) => from)).toEqual([...Array(5).fill(connectorArn), probeArn, connectorArn]);
    const [right, missing, wrong, nearly, other, second, again] = account.asked.map((call) => call.externalId);
    expect([right, missing, other, second, again]).toEqual([externalId, undefined, anothersId, externalId, externalId]);
    expect(wrong).not.toMatch(/^cordon-/);
    expect(nearly).toHaveLength(externalId.length);
    expect(nearly?.slice(0, -1)).toBe(externalId.slice(0, -1));
    expect(nearly).not.toBe(externalId);
  });

  it.each([...triedRoles, ...readRoles])('rejects a role that $role', async ({ trust, code, says, advises }) => {
    for (const expectedRoleId of [undefined, roleId]) {
      const { verdict, reason } = await probeRole(createCustomerAccount({ trust }).deps, { ...input, expectedRoleId });
      expect({ verdict, code: reason?.code }).toEqual({ verdict: 'unsound', code });
      expect(reason?.message).toMatch(says);
      expect(reason?.nextStep).toMatch(advises);
      expect(reason?.nextStep).toMatch(/connect the account again/);
    }
  });

  it.each(triedRoles)('rejects a role that $role and does not show its trust policy', async ({ trust, code }) => {
    const { verdict, reason } = await probeRole(createCustomerAccount({ trust, policies: policyOf([bedrock]) }).deps, input);
    expect({ verdict, code: reason?.code }).toEqual({ verdict: 'unsound', code });
    expect(reason?.nextStep).toMatch(/Put the template's trust policy back/);
  });

  it('never repeats an external ID in what it tells', async () => {
    for (const role of [...triedRoles, ...readRoles]) {
      const { reason, findings, steps } = await probeRole(createCustomerAccount({ trust: role.trust }).deps, input);
      expect(JSON.stringify({ reason, findings, steps })).not.toMatch(/cordon-[a-z2-7]{32}/);
    }
  });

  it('says everything that is wrong at once', async () => {
    const { reason } = await probeRole(createCustomerAccount({ trust: trust({ Principal: '*', Condition: undefined }) }).deps, input);
    expect(reason?.message).toMatch(
      /without any external ID.*arbitrary external ID.*another tenant.*other roles of Cordon's account.*every AWS account.*calling role.*sts:ExternalId/s,
    );
  });

  it('accepts what is written otherwise and demands the same', async () => {
    for (const document of [
      withId('StringLike', externalId),
      withId('StringEquals', [externalId]),
      withId('StringEqualsIfExists', externalId, { Null: { 'sts:ExternalId': 'false' } }),
      trust({ Condition: { StringEquals: { 'STS:ExternalID': externalId, 'aws:PrincipalArn': connectorArn } } }),
      twoStatements({ Principal: { AWS: 'arn:aws:iam::777788889999:root' }, Condition: undefined }),
      twoStatements({ Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    ]) {
      const { verdict, findings } = await probeRole(createCustomerAccount({ trust: document }).deps, input);
      expect({ verdict, findings }).toEqual({ verdict: 'sound', findings: [] });
    }
  });

  it.each([
    ['ForAnyValue with the right ID alone', withId('ForAnyValue:StringEquals', externalId), /keys with several values/],
    ['a comparison without regard to case', withId('StringEqualsIgnoreCase', externalId), /without regard to case/],
    ["Cordon's role as principal", trust({ Principal: { AWS: connectorArn } }), /unique ID/],
    ['everyone as principal, with both conditions', trust({ Principal: '*' }), /every AWS account/],
    [
      'a principal condition with a wildcard that fits no second role',
      trust({ Condition: { ...byId, ArnLike: { 'aws:PrincipalArn': `${connectorArn}*` } } }),
      /fits other roles/,
    ],
  ])('lets %s pass and says what would be better', async (_, document, says) => {
    const { verdict, findings } = await probeRole(createCustomerAccount({ trust: document }).deps, input);
    expect({ verdict, codes: findings.map(({ code }) => code) }).toEqual({ verdict: 'sound', codes: ['TRUST_TO_IMPROVE'] });
    expect(findings[0]?.message).toMatch(says);
  });
});
