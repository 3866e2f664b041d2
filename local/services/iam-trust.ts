/**
 * Role trust policies. IAM keeps a role or user that one names by its unique ID, shows the ARN while that principal exists and the ID
 * afterwards; one made again under the old name is not trusted. Source: IAM User Guide, "AWS JSON policy elements: Principal".
 */
import { AwsError } from '../core/aws-error.ts';
import type { IdentityStore, RoleIdentity, StoredPolicy } from '../core/identity-store.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { checkByEvaluator, malformed, parsePolicyDocument, policySize, policySizes, statementsOf } from './iam-policy-document.ts';

/** Throws AwsError: MalformedPolicyDocument (also for a principal that does not exist), LimitExceeded. */
export function trustPolicy(store: IdentityStore, roleName: string, text: string): StoredPolicy {
  const document = parsePolicyDocument(text);
  if (policySize(text) > policySizes.trust) {
    throw new AwsError('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${policySizes.trust}`, 409);
  }
  for (const { Principal, Resource, NotResource } of statementsOf(document)) {
    if (Resource !== undefined || NotResource !== undefined) throw malformed('Has prohibited field Resource');
    // NotPrincipal is not supported in a trust policy: it would admit everybody else.
    if (Principal === undefined) throw malformed('Missing required field Principal');
  }
  const kept = mapAwsPrincipals(document, (principal) => keptPrincipal(store, principal));
  checkByEvaluator(
    trustPolicyName(roleName),
    'resource',
    mapAwsPrincipals(kept, (principal) => shownPrincipal(store, principal)),
  );
  return { text: JSON.stringify(kept), document: kept };
}

/** What GetRole shows: ARNs, and the unique IDs of principals that are gone. */
export function shownTrust(store: IdentityStore, trust: StoredPolicy): string {
  return JSON.stringify(mapAwsPrincipals(trust.document, (principal) => shownPrincipal(store, principal)));
}

const effective = new WeakMap<StoredPolicy, { version: number; text: string; document: PolicyDocument }>();

/** What decides over AssumeRole now. The same document object as long as it says the same, so that it is compiled once. */
export function effectiveTrust(store: IdentityStore, role: RoleIdentity): { name: string; document: PolicyDocument } {
  const known = effective.get(role.trust);
  const name = trustPolicyName(role.name);
  if (known?.version === store.version) return { name, document: known.document };
  const document = mapAwsPrincipals(role.trust.document, (principal) => shownPrincipal(store, principal) ?? principal);
  const text = JSON.stringify(document);
  const current = known?.text === text ? known.document : document;
  effective.set(role.trust, { version: store.version, text, document: current });
  return { name, document: current };
}

/** As it stands in the journal and in denials: `TenantReader.trust/Sid`. */
function trustPolicyName(roleName: string): string {
  return `${roleName}.trust`;
}

const uniqueId = /^A(?:ROA|IDA)[A-Z0-9]{12,124}$/;

function keptPrincipal(store: IdentityStore, principal: string): string {
  if (principal === '*') return principal;
  if (/^\d{12}$/.test(principal)) return `arn:aws:iam::${principal}:root`;
  if (/^arn:aws:iam::\d{12}:root$/.test(principal) || /^arn:aws:sts::\d{12}:assumed-role\/[^/*]+\/[^/*]+$/.test(principal))
    return principal;
  const found = uniqueId.test(principal) ? store.identityById(principal) : store.identityByArn(principal);
  if (found === undefined) throw malformed(`Invalid principal in policy: "AWS":"${principal}"`);
  return found.uniqueId;
}

function shownPrincipal(store: IdentityStore, principal: string): string {
  return uniqueId.test(principal) ? (store.identityById(principal)?.arn ?? principal) : principal;
}

/** Statements are rebuilt only where a principal is of type AWS. */
function mapAwsPrincipals(document: PolicyDocument, map: (principal: string) => string): PolicyDocument {
  const statements = statementsOf(document).map((statement) => {
    const { Principal } = statement;
    if (Principal === undefined || Principal === '*' || Principal['AWS'] === undefined) return statement;
    const named = Principal['AWS'];
    return { ...statement, Principal: { ...Principal, AWS: typeof named === 'string' ? map(named) : named.map(map) } };
  });
  return { ...document, Statement: statements };
}
