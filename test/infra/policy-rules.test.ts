import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import {
  type Attempt,
  account,
  attacks,
  type Context,
  direct,
  notGranted,
  ownUses,
  reader,
  type Session,
  supplier,
  tenantKey,
  throughSecretsManager,
  writer,
} from '../fixtures/attacks.ts';
import { decide, decideKey, everyoneIn, policyNamed, statementsOf } from '../support/policies.ts';

const denySids = (policy: string): string[] =>
  statementsOf(policy).flatMap(({ Effect, Sid }) => (Effect === 'Deny' ? [Sid ?? '(no Sid)'] : []));
const named = (attempts: readonly Attempt[]) =>
  attempts.map((attempt) => [`${attempt.name} (${attempt.session.role}, ${attempt.action})`, attempt] as const);

describe('I1 I2 I3 each isolation rule refuses the attack it was written for', () => {
  it.each(attacks.map((attack) => [`${attack.name} (${attack.session.role}, ${attack.action})`, attack] as const))('%s', (_, attack) => {
    const decision = decide(attack);
    expect(decision).toMatchObject({ allowed: false, reason: 'explicit-deny' });
    const by = decision.denies.map(({ policy, sid }) => `${policy}/${sid}`);
    expect(by).toEqual(expect.arrayContaining(attack.deniedBy.flatMap((sid) => [`TenantIsolation/${sid}`, `TenantBoundary/${sid}`])));
  });

  it('has an attack for every Deny of the isolation policy', () => {
    const covered = new Set(attacks.flatMap(({ deniedBy }) => deniedBy));
    expect([...covered].sort()).toEqual(denySids('TenantIsolation').sort());
  });

  it('repeats every Deny of the isolation policy in the boundary, word for word', () => {
    const denies = (policy: string) => statementsOf(policy).filter(({ Effect }) => Effect === 'Deny');
    expect(denies('TenantBoundary')).toEqual(denies('TenantIsolation'));
  });
});

describe('I1 the walls hold one by one', () => {
  /** What the CDK gives a key by default: whoever IAM lets use it may. */
  const keyPolicyOfTheAccount: PolicyDocument = {
    Statement: [{ Sid: 'Delegate', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
  };
  const crossTenant = attacks.filter(({ deniedBy }) =>
    deniedBy.some((sid) => /OtherPaths|OtherTags|OtherTenants|ForOthers|WithOtherNames|WithoutLeadingKey/.test(sid)),
  );

  it.each(named(crossTenant))('the Allows alone do not permit: %s', (_, attack) => {
    expect(decide(attack, { without: ['TenantIsolation', 'TenantBoundary'], keyPolicy: keyPolicyOfTheAccount }).allowed).toBe(false);
  });

  // A resource policy that names the session itself escapes the implicit denies of boundary and session policy: only an explicit Deny holds.
  it.each(named(crossTenant.filter(({ action }) => action.startsWith('secretsmanager:'))))(
    'a resource policy cannot let in: %s',
    (_, attack) => {
      expect(decide(attack, { resourcePolicy: everyoneIn })).toMatchObject({ allowed: false, reason: 'explicit-deny' });
      expect(decide(attack, { resourcePolicy: everyoneIn, without: ['TenantBoundary'] })).toMatchObject({
        allowed: false,
        reason: 'explicit-deny',
      });
      expect(decide(attack, { resourcePolicy: everyoneIn, without: ['TenantIsolation'] })).toMatchObject({
        allowed: false,
        reason: 'explicit-deny',
      });
    },
  );

  it('the Allows of the key’s own policy admit the session’s own path through Secrets Manager, and nothing else', () => {
    const allows = { Version: '2012-10-17', Statement: statementsOf('TenantKey').filter(({ Effect }) => Effect === 'Allow') };
    const use = (session: Session, context: Context) => decideKey(session, 'kms:Decrypt', context, allows);
    expect(use(reader('acme'), throughSecretsManager('acme'))).toBe(true);
    expect(use(reader('acme'), throughSecretsManager('globex'))).toBe(false);
    expect(use(reader('acme'), { ...throughSecretsManager('acme'), 'kms:ViaService': undefined })).toBe(false);
    expect(use(reader('acme'), { ...throughSecretsManager('acme'), 'kms:CallerAccount': '444455556666' })).toBe(false);
  });

  it('the Allows of the key’s own policy let the supplier make and open the door’s keys of its own tenant, and nobody else', () => {
    const allows = { Version: '2012-10-17', Statement: statementsOf('TenantKey').filter(({ Effect }) => Effect === 'Allow') };
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKeyPairWithoutPlaintext']) {
      const use = (session: Session, context: Context) => decideKey(session, action, { 'kms:CallerAccount': account, ...context }, allows);
      expect(use(supplier('acme'), direct({ TenantId: 'acme' }))).toBe(true);
      expect(use(supplier('acme'), direct({ TenantId: 'globex' }))).toBe(false);
      expect(use(supplier('acme'), direct({ TenantId: 'acme', Other: 'x' }))).toBe(false);
      expect(use(supplier('acme'), direct({}))).toBe(false);
      expect(use(supplier('acme'), { ...direct({ TenantId: 'acme' }), 'kms:CallerAccount': '444455556666' })).toBe(false);
      expect(use(reader('acme'), direct({ TenantId: 'acme' }))).toBe(false);
      expect(use(writer('acme'), direct({ TenantId: 'acme' }))).toBe(false);
    }
  });

  it('the door’s keys are used only where the names in the encryption context are known, by role and by key', () => {
    const nameless: Context = {
      'kms:EncryptionContext:TenantId': 'acme',
      'kms:CallerAccount': account,
      'kms:DataKeyPairSpec': 'ECC_NIST_P256',
    };
    const allows = { Version: '2012-10-17', Statement: statementsOf('TenantKey').filter(({ Effect }) => Effect === 'Allow') };
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKeyPairWithoutPlaintext']) {
      const attempt = { name: action, session: supplier('acme'), action, resource: tenantKey, context: nameless };
      expect(decide(attempt, { keyPolicy: keyPolicyOfTheAccount }).allowed, action).toBe(false);
      expect(decideKey(supplier('acme'), action, nameless, allows), action).toBe(false);
    }
  });

  it('the key’s own policy lets an administrator manage the key and use it for nothing', () => {
    const administrator: Session = { role: 'Administrator', tags: {} };
    for (const action of ['kms:DescribeKey', 'kms:PutKeyPolicy', 'kms:EnableKeyRotation', 'kms:ScheduleKeyDeletion']) {
      expect(decideKey(administrator, action, {}), action).toBe(true);
    }
    for (const context of [
      throughSecretsManager('acme'),
      { 'kms:EncryptionContext:TenantId': 'acme', 'kms:EncryptionContextKeys': ['TenantId'] },
      {},
    ]) {
      expect(decideKey(administrator, 'kms:Decrypt', context)).toBe(false);
    }
  });

  it('the key’s own policy repeats the isolation policy’s Denies for everyone', () => {
    const keyDenies = (policy: string) =>
      statementsOf(policy).filter(({ Effect, Sid }) => Effect === 'Deny' && Sid?.startsWith('DenyKeyUse'));
    expect(keyDenies('TenantKey')).toEqual(
      keyDenies('TenantIsolation').map((statement) => ({ ...statement, Principal: expect.anything() })),
    );
    for (const { Principal } of keyDenies('TenantKey')) expect([{ AWS: '*' }, '*']).toContainEqual(Principal);
  });

  it('the key’s own policy refuses the neighbour too', () => {
    const keyUse = attacks.filter(({ resource, session }) => resource === tenantKey && session.tags['TenantId'] !== undefined);
    expect(keyUse.length).toBeGreaterThan(5);
    const covered = new Set<string>();
    for (const attack of keyUse) {
      const { denies } = decide(attack);
      for (const { policy, sid } of denies) if (policy === 'TenantKey') covered.add(sid);
      expect(
        denies.map(({ policy }) => policy),
        attack.name,
      ).toContain('TenantKey');
    }
    expect([...covered].sort()).toEqual(denySids('TenantKey').sort());
  });
});

describe('what a tenant session is for stays possible', () => {
  it.each(named(ownUses))('%s', (_, attempt) => {
    expect(decide(attempt)).toMatchObject({ allowed: true });
  });
});

describe('what nobody granted stays refused', () => {
  it.each(named(notGranted))('%s', (_, attempt) => {
    expect(decide(attempt).allowed).toBe(false);
  });
});

describe('least privilege', () => {
  const granting = [
    'TenantReaderAccess',
    'TenantWriterAccess',
    'TenantSupplierAccess',
    'TenantProvisionerAccess',
    'TenantAuditorAccess',
    'ByocConnectorAccess',
    'OperatorAccess',
  ];

  it('names every action it grants, without a wildcard', () => {
    for (const policy of [...granting, 'TenantBoundary', 'FunctionBoundary']) {
      for (const statement of statementsOf(policy).filter(({ Effect }) => Effect === 'Allow')) {
        expect(
          [statement.Action].flat().filter((action) => action?.includes('*')),
          `${policy}/${statement.Sid}`,
        ).toEqual([]);
        expect(statement.NotAction, `${policy}/${statement.Sid}`).toBeUndefined();
      }
    }
  });

  it('grants nothing to a tenant role that the boundary would not let through', () => {
    const ceiling = new Set(
      statementsOf('TenantBoundary').flatMap(({ Effect, Action }) => (Effect === 'Allow' ? [Action ?? []].flat() : [])),
    );
    const granted = new Set(
      granting
        .filter((name) => name !== 'OperatorAccess')
        .flatMap((policy) => statementsOf(policy).flatMap(({ Action }) => [Action ?? []].flat())),
    );
    expect([...granted].filter((action) => !ceiling.has(action))).toEqual([]);
    expect(
      [...ceiling].filter((action) => !granted.has(action)),
      'a ceiling higher than what stands below it',
    ).toEqual([]);
  });

  it('keeps every managed policy within the 6,144 characters that IAM admits', () => {
    for (const policy of [...granting, 'TenantIsolation', 'TenantBoundary', 'FunctionBoundary']) {
      expect(JSON.stringify(policyNamed(policy)).length, policy).toBeLessThanOrEqual(6_144);
    }
  });
});
