import type { Tier } from '../../tenants/credential-spec.ts';
import { claimsOf, type ServiceDeclaration, walls } from './claim.ts';

/** Where secrets, keys, items and the record of uses lie. */
export function dataServices(tier: Tier): readonly ServiceDeclaration[] {
  return [vault(tier), keys(tier), registry, attribution];
}

function vault(tier: Tier): ServiceDeclaration {
  const claim = claimsOf('vault');
  return {
    service: 'vault',
    sharing: 'shared',
    justification:
      `One Secrets Manager for all tenants of the account. Each credential is a secret of its own, on the tenant's path and with the tenant's tag, and IAM compares both with the session. ${
        tier === 'dedicated' ? 'Its sessions are of roles of its own, and roles that others share are denied its secrets.' : ''
      }`.trim(),
    claims: [
      claim(
        'others-secrets',
        'No other tenant can read a secret of the tenant, by name, ARN, version or label, or learn whether it exists.',
        walls('DenySecretsOfOtherPaths', 'DenySecretsOfOtherTags'),
        {
          'vault-access-scope': [
            ...['read-secret', 'read-secret-by-arn', 'read-secret-version', 'read-secret-label', 'read-unknown-secret'],
            ...['read-secret-by-prefix', 'describe-secret', 'list-versions', 'get-policy'],
          ],
        },
      ),
      claim(
        'others-changes',
        'No other tenant can make, change, relabel, replicate, rotate or delete a secret of the tenant.',
        walls('DenySecretsOfOtherPaths', 'DenySecretsOfOtherTags', 'DenyCreatingForOthers', 'DenyMovingTheWalls'),
        {
          'vault-access-scope': [
            ...['create-secret', 'create-secret-with-tag', 'cancel-rotation', 'restore-secret', 'rotate-secret', 'replicate-secret'],
            ...['move-label', 'put-value', 'update-secret', 'delete-secret'],
          ],
        },
      ),
      claim(
        'fixed-walls',
        'No session can open a secret to others or change whose it is, not even its own.',
        walls('DenyMovingTheWalls', 'DenyRetagging'),
        {
          'vault-access-scope': [
            ...['tag-secret', 'untag-secret', 'put-policy', 'delete-policy'],
            ...['open-own-secret', 'untag-own-secret', 'retag-own-secret'],
          ],
        },
      ),
      claim('no-lists', 'No session can list secrets, or read several at once.', walls('DenyMovingTheWalls'), {
        enumeration: ['list-secrets', 'list-secrets-by-tag', 'batch-read-secrets', 'batch-read-by-filter', 'list-tags'],
      }),
      claim('own-names', 'Another tenant is refused names of this very tenant.', walls('DenySecretsOfOtherPaths'), {
        'vault-access-scope': ['asked-read-secret', 'asked-describe-secret', 'asked-list-versions'],
      }),
      claim(
        'users-secrets',
        "A user's own secret is read in a session of that user only.",
        walls('DenySecretsOfOtherUsers', 'DenyCreatingForOtherUsers'),
        {},
      ),
      ...(tier === 'dedicated'
        ? [
            claim(
              'closed-to-shared-roles',
              'Roles that pool tenants share are denied its secrets.',
              walls('DenyDedicatedToSharedRolesByResourceTag', 'DenyDedicatedToSharedRolesByRequestTag'),
              {},
            ),
          ]
        : []),
    ],
  };
}

function keys(tier: Tier): ServiceDeclaration {
  const claim = claimsOf('keys');
  const ownNames = claim(
    'own-names',
    'Another tenant is refused the shared key in the name of this very tenant.',
    walls('DenyKeyUseForOtherTenants'),
    {
      'vault-access-scope': ['asked-data-key'],
    },
  );
  if (tier === 'dedicated') {
    return {
      service: 'keys',
      sharing: 'per-tenant',
      justification: 'A key of its own, whose policy names the tenant’s own roles. Nobody else uses it.',
      claims: [
        claim(
          'own-key',
          'Its secrets are encrypted under a key that only roles of its own may use.',
          ['functions/tenants/dedicated-policies.ts'],
          {},
        ),
        ownNames,
      ],
    };
  }
  return {
    service: 'keys',
    sharing: 'shared',
    justification:
      'One key for all pool tenants: a key for each would cost a dollar a month. Every use carries the tenant in its encryption context, which both the key’s policy and the session’s compare.',
    claims: [
      claim(
        'others-context',
        'No other tenant can use the key in the name of the tenant, in nobody’s, or past Secrets Manager.',
        [
          ...walls('DenyKeyUseForOtherTenants', 'DenyKeyUseForOtherPaths', 'DenyKeyUseWithOtherNames'),
          ...['DenyKeyUseForOtherTenants', 'DenyKeyUseForOtherPaths', 'DenyKeyUseWithOtherNames'].map((sid) => `TenantKey/${sid}`),
        ],
        {
          'vault-access-scope': [
            'data-key',
            'data-key-two-names',
            'data-key-without-name',
            'data-key-of-secret',
            'data-key-pair',
            'encrypt',
          ],
        },
      ),
      claim('closed', 'No session can see keys, their policies or their grants.', walls('DenyMovingTheWalls'), {
        enumeration: ['list-keys', 'list-aliases'],
        'vault-access-scope': ['list-grants', 'read-key-policy'],
      }),
      ownNames,
    ],
  };
}

const registry: ServiceDeclaration = (() => {
  const claim = claimsOf('registry');
  return {
    service: 'registry',
    sharing: 'shared',
    justification:
      'One table for all tenants. Each tenant’s items lie under a key of its own, which IAM compares with the session on every call.',
    claims: [
      claim(
        'others-items',
        'No other tenant can read, write or delete an item of the tenant.',
        walls('DenyItemsOfOtherTenants', 'DenyItemsWithoutLeadingKey'),
        {
          'vault-access-scope': [
            ...['read-item', 'read-item-by-prefix', 'read-item-without-delimiter', 'read-items', 'query-items', 'select-items'],
            ...['put-item', 'update-item', 'delete-item'],
          ],
        },
      ),
      claim('no-lists', 'No session can see items across tenants.', walls('DenyItemsWithoutLeadingKey'), {
        enumeration: ['scan-registry', 'query-due', 'select-registry', 'list-tables'],
      }),
      claim('own-names', 'Another tenant is refused items of this very tenant.', walls('DenyItemsOfOtherTenants'), {
        'vault-access-scope': ['asked-read-item'],
      }),
    ],
  };
})();

const attribution: ServiceDeclaration = (() => {
  const claim = claimsOf('attribution');
  return {
    service: 'attribution',
    sharing: 'shared',
    justification:
      'One table for all tenants, under keys of their own. A session may insert and read its tenant’s entries; nobody may change or delete any.',
    claims: [
      claim(
        'attributed',
        'A use stands in the log of the tenant that made it, with its credential, begin and end, and in no other’s.',
        ['functions/broker/record-use.ts'],
        {
          'usage-log-attribution': ['in-own-log', 'intent-and-outcome', 'not-in-other', 'not-in-own'],
        },
      ),
      claim(
        'append-only',
        'What is on record cannot be overwritten, changed or deleted, not even by the tenant itself.',
        walls('DenyChangingAttribution'),
        {
          'usage-log-attribution': ['overwrite-own-log', 'change-own-log', 'delete-own-log'],
        },
      ),
      claim(
        'others-entries',
        'No other tenant can read the tenant’s entries, or insert one in its name.',
        walls('DenyItemsOfOtherTenants', 'DenyItemsWithoutLeadingKey'),
        {
          enumeration: ['scan-log', 'select-log'],
          'usage-log-attribution': ['query-log', 'query-log-by-credential', 'read-log', 'insert-into-log'],
        },
      ),
      claim('own-names', 'Another tenant is refused entries of this very tenant.', walls('DenyItemsOfOtherTenants'), {
        'vault-access-scope': ['asked-read-log'],
      }),
    ],
  };
})();
