/**
 * `Principal` and `NotPrincipal` of resource and trust policies. Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
 */
import { MalformedPolicy } from './malformed-policy.ts';
import type { PrincipalElement, RequestPrincipal } from './policy.ts';

/**
 * How a policy names the one who asks, from farthest to nearest, which decides what else must allow:
 * `account` only delegates to that account's own policies; `role` is limited by boundary and session policies; `self` (the user, the session,
 * the service, or everyone) is limited by no implicit deny in the same account. A wildcard counts as `self`: "Principal", IAM role principals.
 */
export type Naming = 'none' | 'account' | 'role' | 'self';
type PrincipalMatcher = (principal: RequestPrincipal) => Naming;

interface Named {
  readonly everyone: boolean;
  readonly aws: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

const accountArn = /^arn:aws:iam::(\d{12}):root$/;
// A unique ID (AROA…, AIDA…) stands where a deleted role or user was named, and matches nobody.
const principalName =
  /^(\d{12}|A(ROA|IDA)[A-Z0-9]{12,}|arn:aws:iam::\d{12}:(root|(user|role)\/[^*?]+)|arn:aws:sts::\d{12}:assumed-role\/[^*?/]+\/[^*?/]+)$/;

function parsePrincipals(element: PrincipalElement): Named {
  if (element === '*') return { everyone: true, aws: new Set(), services: new Set() };
  if (typeof element !== 'object' || element === null)
    throw new MalformedPolicy(`principal ${JSON.stringify(element)} is neither * nor an object`);
  const aws = new Set<string>();
  const services = new Set<string>();
  const entries = Object.entries(element);
  if (entries.length === 0) throw new MalformedPolicy('a principal names nobody');
  for (const [type, value] of entries) {
    for (const name of Array.isArray(value) ? value : [value]) {
      if (typeof name !== 'string') throw new MalformedPolicy(`principal ${type} holds what is no string`);
      if (type === 'AWS' && (name === '*' || principalName.test(name))) aws.add(accountArn.exec(name)?.[1] ?? name);
      else if (type === 'Service' && /^[a-z0-9.-]+$/.test(name)) services.add(name);
      else if (type !== 'Federated') throw new MalformedPolicy(`unknown principal ${type} ${name}`);
    }
  }
  return { everyone: aws.has('*'), aws, services };
}

/** Compiles `Principal`. Throws `MalformedPolicy` for an unknown type or form, or a wildcard in part of an ARN. */
export function principalMatcher(element: PrincipalElement): PrincipalMatcher {
  const named = parsePrincipals(element);
  return (principal) => {
    if (named.everyone) return 'self';
    if (principal.kind === 'service') return named.services.has(principal.arn) ? 'self' : 'none';
    if (principal.kind === 'root') return named.aws.has(principal.accountId) ? 'self' : 'none';
    if (named.aws.has(principal.arn)) return 'self';
    if (principal.roleArn !== undefined && named.aws.has(principal.roleArn)) return 'role';
    return named.aws.has(principal.accountId) ? 'account' : 'none';
  };
}

/**
 * Compiles `NotPrincipal`: matches everyone but those it names. A user is named only together with its account, a session only together with
 * its role and account, and nobody under a permissions boundary is ever exempt ("NotPrincipal", Key points).
 */
export function notPrincipalMatcher(element: PrincipalElement): (principal: RequestPrincipal, bounded: boolean) => boolean {
  const named = parsePrincipals(element);
  return (principal, bounded) => {
    if (named.everyone) return false;
    if (principal.kind === 'service') return !named.services.has(principal.arn);
    const identities =
      principal.kind === 'root' ? [principal.accountId] : [principal.accountId, principal.arn, principal.roleArn ?? principal.arn];
    return bounded || !identities.every((identity) => named.aws.has(identity));
  };
}
