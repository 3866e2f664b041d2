/** Requests whose decision is known: attacks and what nobody granted are refused, what tests were recorded to need is allowed. Asked of the evaluator, which takes no time. */
import type { Decision } from '../../local/iam/policy.ts';
import { type Attempt, attacks, attributionTable, notGranted, ownUses, registryTable, role, tenantKey } from '../fixtures/attacks.ts';
import { account, type Stack } from '../proofs/model/stack.ts';
import { askerOf, readNeeds } from '../support/needs.ts';
import { type Asker, concernedIn, decideIn } from '../support/stack-decisions.ts';

export interface KnownRequest {
  /** E.g. `the attack "another tenant's secret"`. */
  readonly name: string;
  /** Of the policies in `Stack.policies`, those it is decided by. */
  readonly uses: readonly string[];
  readonly isAsKnown: (stack: Stack) => boolean;
}

/** @throws when a request is decided otherwise by the stack as it is */
export function knownRequests(stack: Stack): KnownRequest[] {
  const requests = [
    ...attacks.flatMap((attack) =>
      request(stack, `the attack "${attack.name}"`, fromAttempt(stack, attack), ({ reason, denies }) => {
        const by = new Set(denies.map(({ policy, sid }) => `${policy}/${sid}`));
        return (
          reason === 'explicit-deny' && attack.deniedBy.every((sid) => by.has(`TenantIsolation/${sid}`) && by.has(`TenantBoundary/${sid}`))
        );
      }),
    ),
    ...notGranted.flatMap((attempt) =>
      request(stack, `what nobody granted: ${attempt.name}`, fromAttempt(stack, attempt), ({ allowed }) => !allowed),
    ),
    ...ownUses.flatMap((attempt) => request(stack, `the use "${attempt.name}"`, fromAttempt(stack, attempt), ({ allowed }) => allowed)),
    ...readNeeds().flatMap((need) =>
      request(stack, `the need of ${need.principal.split('/').at(-1)} for ${need.action}`, askerOf(need), ({ allowed }) => allowed),
    ),
  ];
  const wrong = requests.find(({ isAsKnown }) => !isAsKnown(stack));
  if (wrong !== undefined) throw new Error(`${wrong.name} is decided otherwise by the stack as it is`);
  return requests;
}

function request(stack: Stack, name: string, asker: Asker, expected: (decision: Decision) => boolean): KnownRequest[] {
  const concerned = concernedIn(stack, asker);
  if (concerned === undefined) return [];
  const { identity, boundary, resource } = concerned;
  const uses = [...identity, boundary, resource].filter((id) => id !== undefined);
  return [{ name, uses, isAsKnown: (of) => expected(decideIn(of, asker, concerned)) }];
}

/** With the names that the fixtures put in the place of generated ones. */
function fromAttempt({ tables, keys }: Stack, attempt: Attempt): Asker {
  const { session, action, resource, context } = asDedicated(attempt);
  const key = keys.find(({ name }) => name.startsWith('TenantKey'))?.arn ?? '';
  const actual =
    resource === tenantKey ? key : resource.replace(registryTable, tables.registry).replace(attributionTable, tables.attribution);
  const arn = role(session.role);
  return {
    kind: 'role-session',
    principal: arn,
    action,
    resource: actual,
    context: {
      'aws:PrincipalArn': arn,
      'aws:PrincipalAccount': account,
      ...Object.fromEntries(Object.entries(session.tags).map(([tag, value]) => [`aws:PrincipalTag/${tag}`, value])),
      ...context,
    },
    // A trust policy has tests of its own.
    elsewhere: resource !== tenantKey,
  };
}

/** The stack that is read has one dedicated tenant, whatever the fixtures call it. */
function asDedicated(attempt: Attempt): Attempt {
  const [, tenant] = /^TenantAgent-([a-z]+)/.exec(attempt.session.role) ?? [];
  if (tenant === undefined || tenant === 'acme') return attempt;
  const swapped = (text: string): string =>
    text.replaceAll(new RegExp(`acme|${tenant}`, 'g'), (name) => (name === 'acme' ? tenant : 'acme'));
  const { session, resource, context = {} } = attempt;
  return {
    ...attempt,
    session: {
      role: swapped(session.role),
      tags: Object.fromEntries(Object.entries(session.tags).map(([key, value]) => [key, swapped(value)])),
    },
    resource: swapped(resource),
    context: Object.fromEntries(
      Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? swapped(value) : value?.map(swapped)]),
    ),
  };
}
