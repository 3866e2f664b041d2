/** Decisions by the synthesized policies alone, without a cloud: for tests of single rules. */
import { readFileSync } from 'node:fs';
import { compilePolicy, evaluate, requestContext } from '../../local/iam/evaluate.ts';
import type { Decision, PolicyDocument, PolicyStatement, RequestPrincipal } from '../../local/iam/policy.ts';
import { policiesOf } from '../../local/template/policies.ts';
import {
  type Attempt,
  account,
  attributionTable,
  type Context,
  registryTable,
  role,
  type Session,
  tenantKey,
} from '../fixtures/attacks.ts';
import { templatePath } from './template.ts';

const synthesized = policiesOf(JSON.parse(readFileSync(templatePath, 'utf8')), { accountId: account });

function find(what: string, matches: (policy: (typeof synthesized)[number]) => boolean): (typeof synthesized)[number] {
  const policy = synthesized.find(matches);
  if (policy === undefined) throw new Error(`the template holds no ${what}`);
  return policy;
}

/** A managed policy by its name, or `TenantKey` and `EvidenceKey` for the policies of these keys. */
export function policyNamed(name: string): PolicyDocument {
  const key = { TenantKey: 'TenantKey', EvidenceKey: 'ByocEvidenceKey' }[name];
  if (key !== undefined) return find(`policy of ${name}`, ({ kind, logicalId }) => kind === 'key' && logicalId.startsWith(key)).document;
  return find(`managed policy ${name}`, (policy) => policy.kind === 'managed' && policy.name === name).document;
}

export function statementsOf(policy: string): PolicyStatement[] {
  return [policyNamed(policy).Statement].flat() as PolicyStatement[];
}

function resourceOf(policy: string, sid: string): string {
  const [arn] = [statementsOf(policy).find(({ Sid }) => Sid === sid)?.Resource ?? []].flat();
  if (arn === undefined) throw new Error(`${policy}/${sid} names no resource`);
  return arn;
}
const tables = [
  [registryTable, resourceOf('TenantWriterAccess', 'WriteOwnRegistry')],
  [attributionTable, resourceOf('TenantWriterAccess', 'InsertOwnAttribution')],
] as const;
const inTemplate = (arn: string): string => tables.reduce((text, [placeholder, real]) => text.replace(placeholder, real), arn);

/** The policy that grants: a dedicated tenant's own two roles carry the shared ones' policies. */
function accessOf(roleName: string): string {
  if (roleName.endsWith('.writer')) return 'TenantWriterAccess';
  if (roleName === 'ByocProbe') return 'ByocConnectorAccess';
  return roleName.startsWith('TenantAgent-') ? 'TenantReaderAccess' : `${roleName}Access`;
}

function principalContext(arn: string, tags: Readonly<Record<string, string>>): Record<string, string> {
  return {
    'aws:PrincipalArn': arn,
    'aws:PrincipalAccount': arn.split(':')[4] ?? '',
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
  };
}

/** What the synthesized policies say to one attempt in a tenant session; `without` leaves out one of the two homes of the isolation rules, or both. */
export function decide(
  { session, action, resource, context }: Attempt,
  options: {
    readonly without?: readonly ('TenantIsolation' | 'TenantBoundary')[];
    readonly resourcePolicy?: PolicyDocument;
    readonly keyPolicy?: PolicyDocument;
  } = {},
): Decision {
  const has = (name: 'TenantIsolation' | 'TenantBoundary'): boolean => !options.without?.includes(name);
  const identity = [accessOf(session.role), ...(has('TenantIsolation') ? ['TenantIsolation'] : [])];
  const onKey = resource === tenantKey;
  const resourcePolicy = onKey
    ? compilePolicy('TenantKey', 'resource', options.keyPolicy ?? policyNamed('TenantKey'))
    : options.resourcePolicy && compilePolicy('PlantedPolicy', 'resource', options.resourcePolicy);
  return evaluate({
    principal: {
      kind: 'role-session',
      accountId: account,
      arn: `arn:aws:sts::${account}:assumed-role/${session.role}/session`,
      roleArn: role(session.role),
    },
    action,
    resource: inTemplate(resource),
    context: requestContext({ ...principalContext(role(session.role), session.tags), ...context }),
    identity: identity.map((name) => compilePolicy(name, 'identity', policyNamed(name))),
    ...(has('TenantBoundary') && { boundary: compilePolicy('TenantBoundary', 'boundary', policyNamed('TenantBoundary')) }),
    ...(resourcePolicy && { resourcePolicy }),
    resourceAccountId: account, // our side of a call into another account is what is asked here
    resourcePolicyRequired: onKey,
  });
}

/** Whether the pool key's policy, or the one given, lets a caller in whom IAM would let do anything. */
export function decideKey(
  session: Session,
  action: string,
  context: Context,
  keyPolicy: PolicyDocument = policyNamed('TenantKey'),
): boolean {
  return evaluate({
    principal: {
      kind: 'role-session',
      accountId: account,
      arn: `arn:aws:sts::${account}:assumed-role/${session.role}/session`,
      roleArn: role(session.role),
    },
    action,
    resource: tenantKey,
    context: requestContext({ ...principalContext(role(session.role), session.tags), ...context }),
    identity: [compilePolicy('Administrator', 'identity', mayDoAnything)],
    resourcePolicy: compilePolicy('TenantKey', 'resource', keyPolicy),
    resourceAccountId: account,
    resourcePolicyRequired: true,
  }).allowed;
}
const mayDoAnything: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' }],
};

/** Who asks to assume a role. `mayAssume`: its own policies let it assume any role, so that the trust policy alone decides. */
export interface Caller {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly mayAssume?: boolean;
}

/** The functions of the stack. */
export const functionNames = [
  ...(['Sessions', 'Tenants', 'Authorizer', 'Broker', 'Door', 'Evidence', 'Description'] as const),
  ...(['Worker', 'Connections', 'Sweep', 'Rotation', 'Revocation', 'CutOff', 'RevocationsApi'] as const),
  ...(['RateLimits', 'IsolationTests', 'IsolationApi'] as const),
] as const;
export type FunctionName = (typeof functionNames)[number];

/** A function's role as logical ID: `TenantsFunctionRole…`, or below its construct `BrokerDoorFunctionRole…`, `ByocWorkerFunctionRole…`. */
const isRoleOf = (name: FunctionName, logicalId: string): boolean => new RegExp(`^(Broker|Byoc)?${name}FunctionRole`).test(logicalId);
/** Whose trust policy names the function, in which statement, so that its ARN can be read there. */
const trustedBy: Partial<Record<FunctionName, readonly [role: string, sid: string]>> = {
  Sessions: ['TenantReader', 'MintFromVerifiedToken'],
  Tenants: ['TenantWriter', 'WorkForEventsTenant0'],
  Worker: ['TenantWriter', 'WorkForEventsTenant1'],
  Door: ['TenantSupplier', 'SupplyFromVerifiedToken'],
  Rotation: ['TenantRotator', 'RotateForEventsTenant'],
  Revocation: ['TenantRevoker', 'RevokeForEventsTenant'],
};

/** The role of a function of the stack, as trust statements name it. */
export function functionRole(name: FunctionName): string {
  const trust = find(`role of ${name}`, ({ kind, logicalId }) => kind === 'trust' && isRoleOf(name, logicalId));
  const [roleNamed, sid] = trustedBy[name] ?? [];
  if (roleNamed === undefined) return `arn:aws:iam::${account}:role/${trust.logicalId}`;
  const trusting = find(`trust of ${roleNamed}`, (policy) => policy.kind === 'trust' && policy.name === roleNamed).document.Statement;
  const statement = ([trusting].flat() as PolicyStatement[]).find(({ Sid }) => Sid === sid);
  const principal = typeof statement?.Principal === 'object' ? [statement.Principal['AWS'] ?? []].flat()[0] : undefined;
  if (principal === undefined) throw new Error(`${roleNamed} trusts no role (${trust.logicalId})`);
  return principal;
}

/** What the policies say to a function's own role, without any session, or to an operator. Every resource policy lets everyone in, so that only a Deny refuses. */
export function decideOwn(
  who: FunctionName | 'operator',
  request: { readonly action: string; readonly resource: string; readonly context?: Context },
  letIn = false,
): Decision {
  const arn = who === 'operator' ? `arn:aws:iam::${account}:role/Operations` : functionRole(who);
  const name = arn.split('/').at(-1) ?? '';
  const inline = who === 'operator' ? [] : inlineOf(who);
  const identity = who === 'operator' ? [{ name: 'OperatorAccess', document: policyNamed('OperatorAccess') }] : inline;
  return evaluate({
    principal: { kind: 'role-session', accountId: account, arn: `arn:aws:sts::${account}:assumed-role/${name}/session`, roleArn: arn },
    action: request.action,
    resource: inTemplate(request.resource),
    context: requestContext({ ...principalContext(arn, {}), ...request.context }),
    identity: identity.map((policy) => compilePolicy(policy.name, 'identity', policy.document)),
    ...(who !== 'operator' && { boundary: compilePolicy('FunctionBoundary', 'boundary', policyNamed('FunctionBoundary')) }),
    ...(letIn && { resourcePolicy: compilePolicy('PlantedPolicy', 'resource', everyoneIn) }),
    resourceAccountId: account,
  });
}

const inlineOf = (who: FunctionName) => synthesized.filter(({ kind, logicalId }) => kind === 'inline' && isRoleOf(who, logicalId));

/** The statements by which a function's own role, or an operator, may do what it does. */
export function ownStatements(who: FunctionName | 'operator'): PolicyStatement[] {
  if (who === 'operator') return statementsOf('OperatorAccess');
  return inlineOf(who).flatMap(({ document }) => [document.Statement].flat() as PolicyStatement[]);
}

/** The worst resource policy there is. */
export const everyoneIn: PolicyDocument = {
  Statement: [{ Sid: 'LetEveryoneIn', Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
};

const mayAssumeAnything: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'AssumeAny', Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: '*' }],
};

/** What a tenant role's trust policy says to a call that passes `tags`: AssumeRole, and TagSession with it. */
export function decideTrust(request: {
  readonly role: string;
  readonly caller: Caller;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitive?: readonly string[];
}) {
  const { caller, tags } = request;
  const accountId = caller.arn.split(':')[4] ?? '';
  const name = caller.arn.split('/').at(-1) ?? '';
  const principal: RequestPrincipal = {
    kind: 'role-session',
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${name}/session`,
    roleArn: caller.arn,
  };
  const context = requestContext({
    ...principalContext(caller.arn, caller.tags),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': Object.keys(tags).length === 0 ? undefined : Object.keys(tags),
    'sts:TransitiveTagKeys': request.transitive,
    'sts:RoleSessionName': 'session',
  });
  const trust = find(`trust of ${request.role}`, (policy) => policy.kind === 'trust' && policy.name === request.role).document;
  return ['sts:AssumeRole', 'sts:TagSession'].map((action) => ({
    action,
    ...evaluate({
      principal,
      action,
      resource: role(request.role),
      context,
      identity: caller.mayAssume ? [compilePolicy('CallerAccess', 'identity', mayAssumeAnything)] : [],
      resourcePolicy: compilePolicy(`${request.role} trust`, 'resource', trust),
      resourceAccountId: account,
      resourcePolicyRequired: true,
    }),
  }));
}
