import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { declarationOf } from '../../functions/isolation/declaration/declaration.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { readTemplate, resourcesOf } from '../support/template.ts';

const stack = readTemplate();
/** `Policy/Sid` of each managed policy, of the trust of each role, and of the pool tenants' key. */
const statements = new Set(
  (['AWS::IAM::ManagedPolicy', 'AWS::IAM::Role', 'AWS::KMS::Key'] as const).flatMap((type) =>
    resourcesOf(stack, type).flatMap(([id, { Properties }]) => {
      const name = Properties['ManagedPolicyName'] ?? Properties['RoleName'] ?? (/^TenantKey/.test(id) ? 'TenantKey' : undefined);
      const document = Properties['PolicyDocument'] ?? Properties['AssumeRolePolicyDocument'] ?? Properties['KeyPolicy'];
      if (typeof name !== 'string' || typeof document !== 'object' || document === null || !('Statement' in document)) return [];
      return [document.Statement]
        .flat()
        .map((statement: unknown) =>
          typeof statement === 'object' && statement !== null && 'Sid' in statement ? `${name}/${String(statement.Sid)}` : name,
        );
    }),
  ),
);
const sources = ['platform-issued', 'customer-supplied', 'customer-role', 'federated'] as const;

describe('T8 a declared mechanism', () => {
  it.each(['pool', 'dedicated'] as const)('is there, for a %s tenant: a statement of the stack, or a file that does it', (tier) => {
    const credentials = sources.map((source) => ({ credentialId: credentialId.parse(source), provider: 'openai' as const, source }));
    const { services } = declarationOf({ tenantId: tenantId.parse('acme'), tier, accounts: ['openai'], credentials });
    const named = new Set(services.flatMap(({ claims }) => claims.flatMap(({ mechanism }) => mechanism)));
    expect(named.size).toBeGreaterThan(30);
    const missing = [...named].filter((one) => (one.endsWith('.ts') ? !existsSync(one) : !statements.has(one)));
    expect(missing).toEqual([]);
  });
});
