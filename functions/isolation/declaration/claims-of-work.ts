import type { Tier } from '../../tenants/credential-spec.ts';
import { claimsOf, type ServiceDeclaration, walls } from './claim.ts';

/** In whose name work is done, and by what. */
export function workServices(tier: Tier): readonly ServiceDeclaration[] {
  return [sessions(tier), broker, rotation, customerRoles];
}

/** What a session could want to be: `become-own-writer` and so on. */
const otherRoles = ['writer', 'supplier', 'rotator', 'revoker', 'provisioner', 'auditor'];

function sessions(tier: Tier): ServiceDeclaration {
  const claim = claimsOf('sessions');
  return {
    service: 'sessions',
    sharing: tier === 'dedicated' ? 'per-tenant' : 'shared',
    justification:
      tier === 'dedicated'
        ? 'Roles of its own, which admit only the functions that verify whom they work for.'
        : 'The same few roles for all pool tenants; each session carries its tenant as a tag that IAM fills in, and that only the function that has verified the token may set.',
    claims: [
      claim(
        'tenant-from-token',
        'A session is of the tenant that the verified token names: a changed token gets none.',
        ['functions/sessions/mint-session.ts', 'TenantReader/MintFromVerifiedToken'],
        { 'vault-access-scope': ['changed-token-session'] },
      ),
      claim(
        'no-other-tenant',
        'No session can become another tenant, or nobody.',
        [...walls('DenyRolesOfOthers', 'DenyWithoutTenant'), 'TenantReader/AddUserToOwnSession'],
        {
          'vault-access-scope': [
            ...['become-other', 'become-other-dedicated', 'become-other-dedicated-writer', 'become-nobody'],
            ...otherRoles.map((role) => `become-other-${role}`),
          ],
        },
      ),
      claim(
        'no-more-power',
        'No session can take a role with more power over its own tenant, or prove that it is the role all share.',
        walls('DenyRolesOfOthers'),
        {
          'vault-access-scope': [...otherRoles.map((role) => `become-own-${role}`), 'prove-shared-identity'],
        },
      ),
      claim('own-names', 'Another tenant is refused a session of this very tenant.', walls('DenyRolesOfOthers'), {
        'vault-access-scope': ['asked-become', 'asked-become-dedicated'],
      }),
      ...(tier === 'dedicated'
        ? [
            claim(
              'own-roles',
              'Roles of its own carry the same boundary as those that others share.',
              ['functions/tenants/dedicated-policies.ts'],
              {},
            ),
          ]
        : []),
    ],
  };
}

const broker: ServiceDeclaration = (() => {
  const claim = claimsOf('broker');
  return {
    service: 'broker',
    sharing: 'per-tenant',
    justification: 'One function for all, each of whose execution environments serves one tenant from its first call to its end.',
    claims: [
      claim(
        'tenant-from-token',
        'A call is of the tenant that its verified token names, whatever else it says; without one it is refused.',
        ['functions/broker/authorize-call.ts', 'functions/broker/tenant-environment.ts'],
        {
          enumeration: ['without-token'],
          'vault-access-scope': ['changed-token'],
          'usage-log-attribution': ['tenant-header'],
        },
      ),
      claim(
        'no-guessing',
        'A call cannot use another tenant’s credential, or find out that there is one.',
        ['functions/broker/choose-credential.ts', 'functions/broker/gate.ts'],
        {
          enumeration: ['others-environment'],
        },
      ),
      claim(
        'own-environments',
        'No two tenants’ calls run in one execution environment (Lambda’s tenant isolation).',
        ['infra/constructs/broker.ts', 'functions/broker/tenant-environment.ts'],
        {},
      ),
    ],
  };
})();

const rotation: ServiceDeclaration = (() => {
  const claim = claimsOf('rotation');
  return {
    service: 'rotation',
    sharing: 'shared',
    justification: 'One worker for all tenants, which works on one credential at a time, in a session of its tenant.',
    claims: [
      claim(
        'independent',
        'Rotating one tenant’s key changes no other’s, and fails no call of any.',
        ['functions/rotation/advance-rotation.ts', 'TenantRotator/RotateForEventsTenant'],
        {
          'rotation-independence': ['new-version-used', 'others-unchanged', 'others-served'],
        },
      ),
    ],
  };
})();

const customerRoles: ServiceDeclaration = (() => {
  const claim = claimsOf('customer-roles');
  return {
    service: 'customer-roles',
    sharing: 'per-tenant',
    justification:
      'Each customer’s role is in the customer’s own account, with the tenant in its name and an external ID of its own in its trust policy.',
    claims: [
      claim(
        'by-name',
        'No other tenant’s session reaches a role that a customer of the tenant has made.',
        [...walls('DenyRolesOfOthers'), 'ByocConnector/ConnectOwnCustomer', 'ByocConnectorAccess/AssumeCustomerRole'],
        {
          'vault-access-scope': ['connect-as-other', 'connect-as-other-probe', 'take-customers-role'],
        },
      ),
      claim(
        'own-names',
        'Another tenant is refused the connecting role in the name of this very tenant.',
        ['ByocConnector/ConnectOwnCustomer'],
        {
          'vault-access-scope': ['asked-connect'],
        },
      ),
      claim(
        'external-id',
        'The customer’s trust refuses a missing, a wrong and another tenant’s external ID; each connection is probed for it, daily.',
        ['functions/byoc/probe/probe-role.ts'],
        {},
      ),
    ],
  };
})();
