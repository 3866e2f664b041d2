import type { TenantId } from '../../shared/identifiers.ts';
import { type CheckedAs, existence, type Fact, type Value } from './fact.ts';
import type { PolicyDocument } from './policy-document.ts';

const kinds: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'table',
  'AWS::Events::EventBus': 'event bus',
  'AWS::IAM::ManagedPolicy': 'policy',
  'AWS::IAM::Role': 'role',
  'AWS::KMS::Key': 'key',
  'AWS::Lambda::Function': 'function',
  'AWS::Logs::ResourcePolicy': 'log policy',
  'AWS::S3::Bucket': 'bucket',
  'AWS::SecretsManager::Secret': 'secret',
  'AWS::SNS::Topic': 'topic',
  'AWS::SQS::Queue': 'queue',
};

const namedAfterColon: ReadonlySet<string> = new Set(['AWS::Lambda::Function', 'AWS::SecretsManager::Secret', 'AWS::SNS::Topic']);

/** What a thing is called in a finding: by its name, whether it is given by name, URL or ARN. A policy keeps its path, which says whose it is. */
export function nameOf(type: string, physicalId: string): string {
  const kind = kinds[type] ?? type;
  if (type === 'AWS::IAM::ManagedPolicy') return `${kind} ${physicalId.split(':policy/').at(-1)}`;
  if (namedAfterColon.has(type)) return `${kind} ${physicalId.split(':').at(-1)}`;
  return `${kind} ${physicalId.split('/').at(-1)}`;
}

export const document = (its: PolicyDocument, checkedAs: CheckedAs): Value => ({ kind: 'document', document: its, checkedAs });

export const listed = (members: readonly string[], grantsWhen: 'added' | 'removed' | 'changed'): Value => ({
  kind: 'list',
  members,
  grantsWhen,
});

/** Tags that policies ask for. All others, a deployment's own among them, decide nothing. Keys compare without case, as in IAM. */
const deciding = new Set(['tenantid', 'tier', 'userid']);

export function decidingTags(tags: Readonly<Record<string, string>>): Value {
  const members = Object.entries(tags).filter(([key]) => deciding.has(key.toLowerCase()));
  return listed(
    members.map(([key, value]) => `${key}=${value}`),
    'changed',
  );
}

export interface RoleDescription {
  readonly name: string;
  readonly trust: PolicyDocument;
  /** By name. */
  readonly inline: Readonly<Record<string, PolicyDocument>>;
  /** ARNs. */
  readonly attached: readonly string[];
  readonly boundary: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly longestSession: number;
  readonly tenantId?: TenantId;
  readonly madeAt?: number;
}

/** Everything that decides what a role may do, and who may take it. */
export function roleFacts(role: RoleDescription): readonly Fact[] {
  const of = nameOf('AWS::IAM::Role', role.name);
  const more = {
    ...(role.tenantId !== undefined && { tenantId: role.tenantId }),
    ...(role.madeAt !== undefined && { madeAt: role.madeAt }),
  };
  const fact = (aspect: string, value: Value): Fact => ({ of, aspect, value, ...more });
  return [
    existence(of, more),
    fact('trust policy', document(role.trust, 'AWS::IAM::AssumeRolePolicyDocument')),
    ...Object.entries(role.inline).map(([name, its]) => fact(`inline policy ${name}`, document(its, 'IDENTITY_POLICY'))),
    fact('attached policies', listed(role.attached, 'added')),
    fact('boundary', listed(role.boundary === undefined ? [] : [role.boundary], 'changed')),
    fact('tags', decidingTags(role.tags)),
    fact('longest session', { kind: 'number', value: role.longestSession }),
  ];
}
