/**
 * How many decisions the policy evaluator makes per second on one core, over the policies of eight tenant roles: about twelve statements each,
 * Allow and Deny twin, path and tag, with a boundary. Run it alone with `node bench/evaluator.ts`.
 */
import { pathToFileURL } from 'node:url';
import { compileDocument } from '../local/iam/compile.ts';
import { type CompiledPolicy, compilePolicy, evaluate, requestContext } from '../local/iam/evaluate.ts';
import type { PolicyDocument, PolicyKind, PolicyStatement } from '../local/iam/policy.ts';

interface BenchRow {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly ok?: boolean;
}

const accountId = '111122223333';
const region = 'us-east-1';
const goalPerSecond = 50_000;
const tenantTag = '${aws:PrincipalTag/TenantId}';
const secrets = `arn:aws:secretsmanager:${region}:${accountId}:secret:cordon/`;
const table = `arn:aws:dynamodb:${region}:${accountId}:table/Registry`;

const isolation: readonly PolicyStatement[] = [
  deny('DenyOtherPath', { Action: 'secretsmanager:*', NotResource: [`${secrets}${tenantTag}/*`] }),
  deny('DenyOtherTag', {
    NotAction: ['secretsmanager:CreateSecret', 'kms:*', 'dynamodb:*', 'sts:*', 'iam:*'],
    Condition: { StringNotEquals: { 'aws:ResourceTag/TenantId': tenantTag } },
  }),
  deny('DenyCreateForOther', {
    Action: 'secretsmanager:CreateSecret',
    Condition: { StringNotEquals: { 'aws:RequestTag/TenantId': tenantTag } },
  }),
  deny('DenyOtherUser', {
    Action: 'secretsmanager:*',
    Condition: {
      Null: { 'aws:ResourceTag/UserId': 'false' },
      StringNotEquals: { 'aws:ResourceTag/UserId': '${aws:PrincipalTag/UserId}' },
    },
  }),
  deny('DenyUntagged', { Action: '*', Condition: { StringNotLike: { 'aws:PrincipalTag/TenantId': '?*' } } }),
  deny('DenyLists', { Action: ['secretsmanager:ListSecrets', 'secretsmanager:BatchGetSecretValue', 'secretsmanager:*ResourcePolicy'] }),
  deny('DenyOtherKeys', {
    Action: 'dynamodb:*',
    Condition: { 'ForAnyValue:StringNotLike': { 'dynamodb:LeadingKeys': [`TENANT#${tenantTag}#`, `TENANT#${tenantTag}#*`] } },
  }),
  deny('DenyKeylessReads', { Action: 'dynamodb:*', Condition: { Null: { 'dynamodb:LeadingKeys': 'true' } } }),
];
const access: readonly PolicyStatement[] = [
  {
    Sid: 'ReadSecrets',
    Effect: 'Allow',
    Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    Resource: `${secrets}${tenantTag}/*`,
    Condition: { StringEquals: { 'aws:ResourceTag/TenantId': tenantTag } },
  },
  {
    Sid: 'ReadRegistry',
    Effect: 'Allow',
    Action: ['dynamodb:GetItem', 'dynamodb:Query'],
    Resource: [table, `${table}/index/*`],
    Condition: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`TENANT#${tenantTag}#*`] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  },
  {
    Sid: 'Decrypt',
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: `arn:aws:kms:${region}:${accountId}:key/*`,
    Condition: {
      StringLike: { 'kms:EncryptionContext:SecretARN': `${secrets}${tenantTag}/*` },
      StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
    },
  },
  {
    Sid: 'InsertAttribution',
    Effect: 'Allow',
    Action: 'dynamodb:PartiQLInsert',
    Resource: table,
    Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`TENANT#${tenantTag}#*`] } },
  },
];

function deny(Sid: string, statement: Omit<PolicyStatement, 'Effect' | 'Sid'>): PolicyStatement {
  return { Sid, Effect: 'Deny', ...(statement.NotResource === undefined ? { Resource: '*' } : {}), ...statement };
}

interface Role {
  readonly name: string;
  readonly documents: readonly (readonly [name: string, kind: PolicyKind, document: PolicyDocument])[];
}

/** Documents are copied per role, as an account stores them: nothing is shared between roles by accident. */
function roles(): readonly Role[] {
  return Array.from({ length: 8 }, (_, index) => {
    const document = (Statement: readonly PolicyStatement[]): PolicyDocument => structuredClone({ Version: '2012-10-17', Statement });
    const everything: PolicyStatement = {
      Sid: 'Ceiling',
      Effect: 'Allow',
      Action: ['secretsmanager:*', 'dynamodb:*', 'kms:*'],
      Resource: '*',
    };
    return {
      name: `Role${index}`,
      documents: [
        ['Access', 'identity', document(access)],
        ['Isolation', 'identity', document(isolation)],
        ['Boundary', 'boundary', document([everything, ...isolation])],
      ],
    };
  });
}

interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  readonly allowed: boolean;
}
const own = { 'aws:ResourceTag/TenantId': 'acme', 'aws:ResourceTag/Provider': 'openai' };
const requests: readonly Request[] = [
  { action: 'secretsmanager:GetSecretValue', resource: `${secrets}acme/openai-AbCdEf`, context: own, allowed: true },
  {
    action: 'secretsmanager:GetSecretValue',
    resource: `${secrets}bolt/openai-AbCdEf`,
    context: { 'aws:ResourceTag/TenantId': 'bolt' },
    allowed: false,
  },
  { action: 'dynamodb:GetItem', resource: table, context: { 'dynamodb:LeadingKeys': ['TENANT#acme#'] }, allowed: true },
  { action: 'dynamodb:GetItem', resource: table, context: { 'dynamodb:LeadingKeys': ['TENANT#acme-2#'] }, allowed: false },
  { action: 'dynamodb:Scan', resource: table, context: {}, allowed: false },
  { action: 'secretsmanager:ListSecrets', resource: '*', context: {}, allowed: false },
];

function decideAll(policiesOf: (role: Role) => readonly CompiledPolicy[], role: Role): void {
  for (const request of requests) {
    const policies = policiesOf(role);
    const session = `arn:aws:sts::${accountId}:assumed-role/${role.name}/acme`;
    const decision = evaluate({
      principal: { kind: 'role-session', accountId, arn: session, roleArn: `arn:aws:iam::${accountId}:role/${role.name}` },
      action: request.action,
      resource: request.resource,
      context: requestContext({
        'aws:PrincipalArn': `arn:aws:iam::${accountId}:role/${role.name}`,
        'aws:PrincipalAccount': accountId,
        'aws:PrincipalType': 'AssumedRole',
        'aws:PrincipalTag/TenantId': 'acme',
        'aws:userid': 'AROAEXAMPLE:acme',
        'aws:TokenIssueTime': '2026-11-20T10:00:00Z',
        'aws:CurrentTime': '2026-11-20T10:05:00Z',
        'aws:EpochTime': '1795169100',
        'aws:SecureTransport': 'true',
        'aws:SourceIp': '127.0.0.1',
        'aws:RequestedRegion': region,
        ...request.context,
      }),
      identity: policies.filter(({ kind }) => kind === 'identity'),
      ...boundaryOf(policies),
      resourceAccountId: accountId,
    });
    if (decision.allowed !== request.allowed) throw new Error(`${request.action} on ${request.resource}: ${decision.message}`);
  }
}

function boundaryOf(policies: readonly CompiledPolicy[]): { boundary?: CompiledPolicy } {
  const boundary = policies.find(({ kind }) => kind === 'boundary');
  return boundary === undefined ? {} : { boundary };
}

/** Decisions per second of repeated rounds over all roles and requests, for at least the given time. */
function measure(policiesOf: (role: Role) => readonly CompiledPolicy[], forMilliseconds: number): number {
  const all = roles();
  const start = performance.now();
  let rounds = 0;
  let elapsed = 0;
  while (elapsed < forMilliseconds) {
    for (const role of all) decideAll(policiesOf, role);
    rounds += 1;
    elapsed = performance.now() - start;
  }
  return (rounds * all.length * requests.length * 1000) / elapsed;
}

/** Measures decisions per second with policies compiled once, and how much slower compiling for every request is, in the same run. */
export async function evaluatorBench(): Promise<{ name: string; rows: BenchRow[] }> {
  const once = (role: Role) => role.documents.map((policy) => compilePolicy(...policy));
  const everyTime = (role: Role) => role.documents.map((policy) => compileDocument(...policy));
  measure(once, 200);
  const compiledOnce = measure(once, 1000);
  const compiledEveryTime = measure(everyTime, 1000);
  return {
    name: 'IAM evaluator',
    rows: [
      {
        metric: 'decisions, policies compiled once',
        value: Math.round(compiledOnce),
        unit: '1/s',
        goal: `>= ${goalPerSecond}`,
        ok: compiledOnce >= goalPerSecond,
      },
      { metric: 'decisions, policies compiled per request', value: Math.round(compiledEveryTime), unit: '1/s' },
      { metric: 'compiled once / compiled per request', value: Math.round((compiledOnce / compiledEveryTime) * 10) / 10, unit: 'x' },
    ],
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { name, rows } = await evaluatorBench();
  console.log(name);
  console.table(rows);
}
