import type { TenantId } from '../../shared/identifiers.ts';
import type { ForbiddenAttempt } from './attempt.ts';
import { type Places, roleArn } from './places.ts';

/** A call that takes a role. `session`: the name of the session, as Cordon gives it, so that CloudTrail says who tried. */
export function assumption(places: Places, role: string, tenantId: TenantId, session: TenantId) {
  const RoleArn = role.startsWith('arn:') ? role : roleArn(places, role);
  return { RoleArn, RoleSessionName: session, DurationSeconds: 900, Tags: [{ Key: 'TenantId', Value: tenantId }] };
}

/** Every role that a session could want: another tenant's, or its own tenant's with more power. */
export function forbiddenRoles(places: Places, own: TenantId, other: TenantId): readonly ForbiddenAttempt[] {
  const assume = (
    id: string,
    what: string,
    role: string,
    tenantId: TenantId,
    service: ForbiddenAttempt['for'] = 'sessions',
  ): ForbiddenAttempt => ({
    ...{ id: `vault-access-scope/${id}`, test: 'vault-access-scope', for: service, what, service: 'sts', operation: 'AssumeRole' },
    input: assumption(places, role, tenantId, own),
  });
  const powers = ['TenantWriter', 'TenantSupplier', 'TenantRotator', 'TenantRevoker', 'TenantProvisioner', 'TenantAuditor'];
  const nameOf = (role: string): string => role.replace('Tenant', '').toLowerCase();
  return [
    assume('become-other', 'become the other canary', 'TenantReader', other),
    assume('become-other-dedicated', 'take the role that the other canary would have if it were dedicated', `TenantAgent-${other}`, other),
    assume('become-other-dedicated-writer', 'take the role that would write for it', `TenantAgent-${other}.writer`, other),
    ...powers.flatMap((role) => [
      assume(`become-own-${nameOf(role)}`, `take the role ${role} for its own tenant`, role, own),
      assume(`become-other-${nameOf(role)}`, `take the role ${role} for the other canary`, role, other),
    ]),
    {
      ...{ id: 'vault-access-scope/become-nobody', test: 'vault-access-scope', for: 'sessions', what: 'drop its tenant' },
      ...{ service: 'sts', operation: 'AssumeRole' },
      input: { RoleArn: roleArn(places, 'TenantReader'), RoleSessionName: own, DurationSeconds: 900 },
    },
    {
      ...{ id: 'vault-access-scope/prove-shared-identity', test: 'vault-access-scope', for: 'sessions' },
      ...{ what: 'have a token made about the role that all pool tenants share', service: 'sts', operation: 'GetWebIdentityToken' },
      input: { Audience: ['https://api.openai.com/v1'], SigningAlgorithm: 'RS256', DurationSeconds: 60 },
    },
    assume('connect-as-other', 'take the connecting role for the other canary', 'ByocConnector', other, 'customer-roles'),
    assume('connect-as-other-probe', 'take the probing role for the other canary', 'ByocProbe', other, 'customer-roles'),
    assume(
      'take-customers-role',
      'take the role that a customer of the other canary would have made',
      `arn:${places.partition}:iam::${places.accountId}:role/cordon.${other}.test`,
      other,
      'customer-roles',
    ),
  ];
}

/** Direct use of the key that all pool tenants share, with what is another's. */
export function forbiddenKeyUse(
  { tenantKeyArn: KeyId }: Places,
  own: TenantId,
  other: TenantId,
  othersSecretArn: string,
): readonly ForbiddenAttempt[] {
  const use = (id: string, what: string, operation: string, input: object): ForbiddenAttempt => ({
    ...{ id: `vault-access-scope/${id}`, test: 'vault-access-scope', for: 'keys', what, service: 'kms', operation },
    input: { KeyId, ...input },
  });
  const bytes = { KeySpec: 'AES_256' };
  const text = Buffer.from('a test').toString('base64');
  const context = (members: Record<string, string>): object => ({ EncryptionContext: members });
  return [
    use('data-key', 'get a data key in the name of the other canary', 'GenerateDataKey', { ...bytes, ...context({ TenantId: other }) }),
    use('data-key-two-names', 'get a data key with the own name and the other one in other letters', 'GenerateDataKey', {
      ...{ ...bytes, ...context({ TenantId: own, tenantid: other }) },
    }),
    use('data-key-without-name', 'get a data key in nobody’s name', 'GenerateDataKey', bytes),
    use('data-key-of-secret', 'get the data key of the other canary’s secret past Secrets Manager', 'GenerateDataKey', {
      ...{ ...bytes, ...context({ SecretARN: othersSecretArn }) },
    }),
    use('data-key-pair', 'get a key pair in the name of the other canary', 'GenerateDataKeyPairWithoutPlaintext', {
      ...{ KeyPairSpec: 'ECC_NIST_P256', ...context({ TenantId: other }) },
    }),
    use('encrypt', 'encrypt in the name of the other canary', 'Encrypt', { Plaintext: text, ...context({ TenantId: other }) }),
    use('list-grants', 'list the grants of the key', 'ListGrants', {}),
    use('read-key-policy', 'read the policy of the key', 'GetKeyPolicy', { PolicyName: 'default' }),
  ];
}
