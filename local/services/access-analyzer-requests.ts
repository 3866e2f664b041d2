/**
 * Requests that a policy's statements are about: for each statement one that satisfies all it asks for, with made-up names where it leaves a choice. From such requests the
 * local Access Analyzer finds what a policy allows.
 */
import { knownActionsOf, knownServices } from '../iam/known-actions.ts';
import type { PolicyStatement, RequestPrincipal } from '../iam/policy.ts';
import { globMatches, globPattern } from '../iam/wildcards.ts';

export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  readonly principal: RequestPrincipal;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}
type Values = Map<string, string | readonly string[] | undefined>;

/** Nobody has named anything like this. */
const token = '7q3zprobe';
/** Another one: what a wildcard covers is not by chance what a variable stands for. */
const variableToken = '7q3zvariable';
const stranger = '999999999999';

/** @returns undefined when a condition of the statement is of a kind for which no request can be made up here */
export function requestsOf(statement: PolicyStatement, accountId: string): readonly PolicyRequest[] | undefined {
  const context = contextOf(statement.Condition ?? {});
  if (context === undefined) return undefined;
  const principals = principalsOf(statement, accountId);
  const resources = resourcesOf(statement).map((pattern) => filled(pattern, context));
  const given = Object.fromEntries([...context].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
  return actionsOf(statement).flatMap((action) =>
    resources.flatMap((resource) => principals.map((principal) => ({ action, resource, principal, context: given }))),
  );
}

/** Every request of the first that also has what the second demands: what the first allows and the second is there to refuse. */
export function both(allow: PolicyStatement, deny: PolicyStatement, accountId: string): readonly PolicyRequest[] | undefined {
  const [allowed, denied] = [requestsOf(allow, accountId), requestsOf(deny, accountId)];
  if (allowed === undefined || denied === undefined) return undefined;
  const named = [deny.Resource ?? '*'].flat().every((resource) => resource !== '*') && deny.NotResource === undefined;
  return allowed.flatMap((one) => {
    const [other] = denied.filter(({ action }) => action.toLowerCase() === one.action.toLowerCase());
    if (other === undefined) return [];
    return [{ ...one, resource: named ? other.resource : one.resource, context: { ...one.context, ...other.context } }];
  });
}

/** Requests that have what both demand, and those that lack one part of what the second does. None where nothing can be made up for the second. */
export function alongWith(allow: PolicyStatement, other: PolicyStatement, accountId: string): readonly PolicyRequest[] | undefined {
  const own = requestsOf(allow, accountId);
  const [more] = requestsOf(other, accountId) ?? [];
  if (own === undefined || more === undefined) return own;
  const keys = Object.keys(more.context);
  const contexts = [
    more.context,
    ...keys.map((without) => Object.fromEntries(Object.entries(more.context).filter(([key]) => key !== without))),
  ];
  return own.flatMap((one) => contexts.map((context) => ({ ...one, context: { ...context, ...one.context } })));
}

function actionsOf({ Action, NotAction }: PolicyStatement): readonly string[] {
  const everything = (): readonly string[] => knownServices.flatMap((service) => knownActionsOf(service));
  if (NotAction !== undefined) {
    const not = [NotAction].flat().map((pattern) => globPattern(pattern.toLowerCase()));
    return everything().filter((action) => !not.some((glob) => globMatches(glob, action.toLowerCase())));
  }
  return [Action ?? []].flat().flatMap((pattern) => {
    if (!/[*?]/.test(pattern)) return [pattern];
    const glob = globPattern(pattern.toLowerCase());
    const known = everything().filter((action) => globMatches(glob, action.toLowerCase()));
    // Of a service that is not kept in full: any name that the pattern covers.
    return known.length > 0 ? known : [pattern.replace(/[*?]+/g, 'Probe')];
  });
}

function resourcesOf({ Resource, NotResource }: PolicyStatement): readonly string[] {
  if (Resource !== undefined && NotResource === undefined) {
    return [Resource].flat().map((pattern) => (pattern === '*' ? `arn:aws:${token}:us-east-1:${stranger}:${token}` : pattern));
  }
  return [`arn:aws:${token}:us-east-1:${stranger}:${token}`];
}

function principalsOf({ Principal, NotPrincipal }: PolicyStatement, accountId: string): readonly RequestPrincipal[] {
  const session = (account: string, role = token): RequestPrincipal => ({
    kind: 'role-session',
    accountId: account,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${token}`,
    roleArn: `arn:aws:iam::${account}:role/${role}`,
  });
  if (NotPrincipal !== undefined || Principal === '*') return [session(stranger)];
  // In an identity policy: whoever has it.
  if (Principal === undefined) return [session(accountId)];
  return Object.entries(Principal).flatMap(([type, names]) =>
    [names].flat().flatMap((name): RequestPrincipal[] => {
      if (type === 'Service') return [{ kind: 'service', accountId: stranger, arn: name }];
      if (name === '*') return [session(stranger)];
      const [account = stranger] = /\d{12}/.exec(name) ?? [];
      if (/:user\//.test(name)) return [{ kind: 'user', accountId: account, arn: name }];
      if (/:role\//.test(name)) return [{ ...session(account), roleArn: name }];
      return [session(account)];
    }),
  );
}

/** Values with which every condition holds, as far as one pass over them can find some; undefined for an operator that is not known here. */
function contextOf(condition: NonNullable<PolicyStatement['Condition']>): Values | undefined {
  const values: Values = new Map();
  for (const [operator, keys] of Object.entries(condition)) {
    const plain = operator.replace(/^For(?:All|Any)Values?s?:/, '').replace(/IfExists$/, '');
    const isSet = operator.startsWith('For');
    for (const [key, wanted] of Object.entries(keys)) {
      const name = key.toLowerCase();
      const [first = ''] = [wanted].flat().map(String);
      const value = satisfying(plain, first);
      if (value === 'unknown') return undefined;
      if (plain === 'Null') {
        if (first === 'true') values.set(name, undefined);
        else if (!values.has(name)) values.set(name, [token]);
      } else if (!values.has(name) || Array.isArray(values.get(name))) values.set(name, isSet ? [value] : value);
    }
  }
  for (const [key, value] of values) if (typeof value === 'string') values.set(key, filled(value, values));
  for (const [key, value] of values)
    if (Array.isArray(value))
      values.set(
        key,
        value.map((one: string) => filled(one, values)),
      );
  return values;
}

function satisfying(operator: string, value: string): string {
  switch (operator) {
    case 'StringNotEquals':
    case 'StringNotEqualsIgnoreCase':
    case 'StringNotLike':
      return token;
    case 'ArnNotEquals':
    case 'ArnNotLike':
      return `arn:aws:iam::${stranger}:role/${token}`;
    case 'Bool':
    case 'Null':
    case 'NumericEquals':
    case 'NumericLessThanEquals':
    case 'NumericGreaterThanEquals':
    case 'DateEquals':
    case 'StringEquals':
    case 'StringEqualsIgnoreCase':
    case 'StringLike':
    case 'ArnEquals':
    case 'ArnLike':
      return value;
    case 'DateLessThan':
    case 'DateLessThanEquals':
      return '1970-01-01T00:00:00Z';
    case 'DateGreaterThan':
    case 'DateGreaterThanEquals':
      return '2999-01-01T00:00:00Z';
    case 'IpAddress':
      return value.split('/')[0] ?? value;
    default:
      return 'unknown';
  }
}

/** A pattern with something in the place of each wildcard and variable; a variable's key gets that value too. */
function filled(pattern: string, values: Values): string {
  return pattern
    .replace(/\$\{([^}]+)\}/g, (_, body: string) => {
      if (['*', '?', '$'].includes(body)) return body;
      const name = body.split(',')[0]?.trim().toLowerCase() ?? '';
      const [known] = [values.get(name)].flat();
      if (known === undefined) values.set(name, variableToken);
      return known ?? variableToken;
    })
    .replace(/\*/g, token)
    .replace(/\?/g, 'q');
}
