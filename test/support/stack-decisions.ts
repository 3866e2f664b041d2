/** What the policies of a stack, as synthesized or with one of them exchanged, say to one concrete request: whoever asks, on whatever. */
import { compilePolicy, evaluate, requestContext } from '../../local/iam/evaluate.ts';
import type { Decision, PolicyDocument, RequestPrincipal } from '../../local/iam/policy.ts';
import { globMatches, globPattern } from '../../local/iam/wildcards.ts';
import type { Context } from '../fixtures/attacks.ts';
import { operatorOf } from '../proofs/model/chains.ts';
import { forTenant } from '../proofs/model/dedicated.ts';
import { spelled, spelledIn } from '../proofs/model/letters.ts';
import { list } from '../proofs/model/lists.ts';
import { account, ownerOf, type Principal, type Stack } from '../proofs/model/stack.ts';

export interface Asker {
  readonly kind: RequestPrincipal['kind'];
  /** A role's ARN, or a service's host name. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly context: Context;
  /** The resource is another account's: our side is asked alone. */
  readonly elsewhere?: boolean;
}

/** The policies that a request is decided by, by their names in `Stack.policies`. */
interface Concerned {
  readonly identity: readonly string[];
  readonly boundary?: string;
  readonly resource?: string;
  readonly isRequired: boolean;
  /** Of a dedicated role and of a dedicated key: whose. */
  readonly owner?: string;
}

/** Undefined when the stack does not know who asks. */
export function concernedIn(stack: Stack, { kind, principal, resource, elsewhere }: Asker): Concerned | undefined {
  const asker =
    kind === 'role-session'
      ? principalOf(stack, principal)
      : kind === 'user' && principal.endsWith(':user/operator')
        ? operatorOf()
        : undefined;
  if (asker === undefined && kind !== 'service') return undefined;
  const door = elsewhere === true ? undefined : doorOf(stack, resource);
  return {
    identity: asker?.identity ?? [],
    ...(asker?.boundary !== undefined && { boundary: asker.boundary }),
    isRequired: false,
    ...door,
  };
}

export function decideIn(stack: Stack, asker: Asker, { identity, boundary, resource, isRequired, owner }: Concerned): Decision {
  const { kind, principal } = asker;
  const name = principal.split('/').at(-1) ?? '';
  const document = (id: string): PolicyDocument => spelledOnce(stack.policies.get(id), owner);
  const short = (id: string): string => id.split(' ').at(-1) ?? id;
  return evaluate({
    principal:
      kind === 'role-session'
        ? { kind, accountId: account, arn: `arn:aws:sts::${account}:assumed-role/${name}/session`, roleArn: principal }
        : { kind, accountId: account, arn: principal },
    action: asker.action,
    resource: asker.resource,
    context: requestContext(asker.context),
    identity: identity.map((id) => compilePolicy(short(id), 'identity', document(id))),
    ...(boundary !== undefined && { boundary: compilePolicy(short(boundary), 'boundary', document(boundary)) }),
    ...(resource !== undefined && { resourcePolicy: compilePolicy(short(resource), 'resource', document(resource)) }),
    resourceAccountId: account,
    resourcePolicyRequired: isRequired,
    simulated: true,
  });
}

const principals = new WeakMap<Stack['principals'], Map<string, Principal>>();
function principalOf(stack: Stack, arn: string): Principal | undefined {
  const known = principals.get(stack.principals) ?? new Map(stack.principals.map((one) => [spelled(one.arn), one]));
  principals.set(stack.principals, known);
  return known.get(arn);
}

type Door = Pick<Concerned, 'resource' | 'isRequired' | 'owner'>;
const doors = new WeakMap<Stack['principals'], Map<string, Door | undefined>>();

/** What is attached to the resource: a key's policy, a role's trust, or whatever policy of a queue, bucket or log names it. */
function doorOf(stack: Stack, resource: string): Door | undefined {
  const known = doors.get(stack.principals) ?? new Map<string, Door | undefined>();
  doors.set(stack.principals, known);
  if (!known.has(resource)) known.set(resource, find(stack, resource));
  return known.get(resource);
}

function find({ keys, principals: roles, policies }: Stack, resource: string): Door | undefined {
  const key = keys.find(({ arn }) => spelled(arn) === resource);
  if (key !== undefined) return { resource: key.policy, isRequired: true, ...ownedBy(key) };
  const role = roles.find(({ arn }) => spelled(arn) === resource);
  if (role?.trust !== undefined) return { resource: role.trust, isRequired: true, ...ownedBy(role) };
  const names = (text: string): boolean => globMatches(globPattern(text), resource);
  const [id] =
    [...policies].find(
      ([name, { Statement }]) => name.startsWith('resource ') && list(Statement).some((one) => list(one.Resource).some(names)),
    ) ?? [];
  return id === undefined ? undefined : { resource: id, isRequired: false };
}

function ownedBy(thing: Parameters<typeof ownerOf>[0]): { readonly owner?: string } {
  const owner = ownerOf(thing);
  return owner === undefined ? {} : { owner };
}

const spelledDocuments = new WeakMap<PolicyDocument, Map<string, PolicyDocument>>();

/** The same object for the same document, so that it is compiled once. */
function spelledOnce(document: PolicyDocument | undefined, owner: string | undefined): PolicyDocument {
  if (document === undefined) throw new Error('the stack lacks a policy that a principal carries');
  const known = spelledDocuments.get(document) ?? new Map<string, PolicyDocument>();
  spelledDocuments.set(document, known);
  const found = known.get(owner ?? '') ?? spelledIn(owner === undefined ? document : forTenant(document, owner));
  known.set(owner ?? '', found);
  return found;
}
