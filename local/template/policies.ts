/** The policy documents of a template with every reference resolved to a stand-in, for tests that need the policies but no cloud. */
import { z } from 'zod';
import type { PolicyDocument, PolicyStatement } from '../iam/policy.ts';
import { parsePolicyDocument } from '../services/iam-policy-document.ts';
import { permissionProperties, permissionStatement } from '../services/lambda-permissions.ts';
import { resolve, TemplateError } from './intrinsics.ts';
import { parametersOf } from './parameters.ts';
import { physicalName } from './resource-handler.ts';
import { activeResources, lookupFor, parseTemplate, type StackIdentity } from './template.ts';

type TemplatePolicyKind = 'managed' | 'inline' | 'trust' | 'key' | 'resource';

export interface TemplatePolicy {
  /** Managed: its ManagedPolicyName or logical ID. Inline: its PolicyName. Trust, key and resource: the resource's logical ID, or the role's name. */
  readonly name: string;
  readonly kind: TemplatePolicyKind;
  /** The resource that carries the document; of a function's permissions, the function. */
  readonly logicalId: string;
  readonly document: PolicyDocument;
}

/** Which property of which type holds a document, and what the document is called. */
const carriers: Readonly<Record<string, readonly { kind: TemplatePolicyKind; property: string; name: string }[]>> = {
  'AWS::IAM::ManagedPolicy': [{ kind: 'managed', property: 'PolicyDocument', name: 'ManagedPolicyName' }],
  'AWS::IAM::Policy': [{ kind: 'inline', property: 'PolicyDocument', name: 'PolicyName' }],
  'AWS::IAM::Role': [{ kind: 'trust', property: 'AssumeRolePolicyDocument', name: 'RoleName' }],
  'AWS::KMS::Key': [{ kind: 'key', property: 'KeyPolicy', name: '' }],
  'AWS::SQS::QueuePolicy': [{ kind: 'resource', property: 'PolicyDocument', name: '' }],
  'AWS::Logs::ResourcePolicy': [{ kind: 'resource', property: 'PolicyDocument', name: 'PolicyName' }],
  'AWS::ApiGateway::RestApi': [{ kind: 'resource', property: 'Policy', name: 'Name' }],
  'AWS::Events::EventBus': [{ kind: 'resource', property: 'Policy', name: 'Name' }],
  'AWS::S3::BucketPolicy': [{ kind: 'resource', property: 'PolicyDocument', name: '' }],
  'AWS::SNS::TopicPolicy': [{ kind: 'resource', property: 'PolicyDocument', name: '' }],
};

/** Deterministic stand-ins: the names the local cloud would generate, and made-up IDs where AWS would draw lots. */
const placeholders: Readonly<
  Record<
    string,
    (name: string, properties: Readonly<Record<string, unknown>>) => { service: string; resource: string; ref: 'name' | 'arn' }
  >
> = {
  'AWS::DynamoDB::Table': (name) => ({ service: 'dynamodb', resource: `table/${name}`, ref: 'name' }),
  'AWS::Events::EventBus': (name) => ({ service: 'events', resource: `event-bus/${name}`, ref: 'name' }),
  'AWS::Events::Rule': (name, { EventBusName }) => ({
    service: 'events',
    resource: `rule/${EventBusName === undefined ? '' : `${String(EventBusName)}/`}${name}`,
    ref: 'name',
  }),
  'AWS::SQS::Queue': (name) => ({ service: 'sqs', resource: name, ref: 'name' }),
  'AWS::Lambda::Function': (name) => ({ service: 'lambda', resource: `function:${name}`, ref: 'name' }),
  'AWS::IAM::Role': (name, { Path }) => ({ service: 'iam', resource: `role${String(Path ?? '/')}${name}`, ref: 'name' }),
  'AWS::IAM::ManagedPolicy': (name, { Path }) => ({ service: 'iam', resource: `policy${String(Path ?? '/')}${name}`, ref: 'arn' }),
  'AWS::KMS::Key': (name) => ({ service: 'kms', resource: `key/${name}`, ref: 'name' }),
  'AWS::SecretsManager::Secret': (name) => ({ service: 'secretsmanager', resource: `secret:${name}-AAAAAA`, ref: 'arn' }),
  'AWS::Logs::LogGroup': (name) => ({ service: 'logs', resource: `log-group:${name}:*`, ref: 'name' }),
  'AWS::SNS::Topic': (name) => ({ service: 'sns', resource: name, ref: 'arn' }),
  'AWS::S3::Bucket': (name) => ({ service: 's3', resource: name.toLowerCase(), ref: 'name' }),
  'AWS::Scheduler::Schedule': (name, { GroupName }) => ({
    service: 'scheduler',
    resource: `schedule/${String(GroupName ?? 'default')}/${name}`,
    ref: 'name',
  }),
  'AWS::Scheduler::ScheduleGroup': (name) => ({ service: 'scheduler', resource: `schedule-group/${name}`, ref: 'name' }),
};
const nameProperties = ['TableName', 'QueueName', 'FunctionName', 'RoleName', 'ManagedPolicyName', 'LogGroupName', 'BucketName', 'Name'];

/** Where the stack is imagined to be, and parameters over the template's defaults. */
type Imagined = Partial<StackIdentity> & { parameters?: Readonly<Record<string, string>> };

/**
 * @param template the parsed JSON of a synthesized template
 * @returns the template's resources by logical ID, their properties as written, and what resolves the references in them to stand-ins
 * @throws TemplateError naming the logical ID and what could not be resolved
 */
export function imagine(template: unknown, options: Imagined = {}) {
  const source = parseTemplate(template);
  const identity = {
    stackName: options.stackName ?? 'Cordon',
    accountId: options.accountId ?? '111122223333',
    region: options.region ?? 'us-east-1',
  };
  const standIn = (id: string): { ref: string; arn: string; name: string } | undefined => {
    const resource = source.Resources[id];
    if (resource === undefined) return undefined;
    const given = nameProperties.map((property) => resource.Properties[property]).find((value) => typeof value === 'string');
    const name = typeof given === 'string' ? given : physicalName(identity.stackName, id, 64);
    const properties = Object.fromEntries(
      Object.entries(resource.Properties)
        .filter(([key]) => ['Path', 'EventBusName', 'GroupName'].includes(key))
        .map(([key, value]) => [key, resolve(value, lookup)]),
    );
    const shape = placeholders[resource.Type]?.(name, properties);
    if (shape === undefined) return { ref: name, arn: name, name };
    const where = { iam: `:${identity.accountId}`, s3: ':' }[shape.service] ?? `${identity.region}:${identity.accountId}`;
    const arn = `arn:aws:${shape.service}:${where}:${shape.resource}`;
    return { ref: shape.ref === 'arn' ? arn : name, arn, name };
  };
  const lookup = lookupFor(source, identity, parametersOf(source, options.parameters ?? {}), {
    refOf: (id) => standIn(id)?.ref,
    attributeOf: (id, attribute) => (/Arn$/.test(attribute) ? standIn(id)?.arn : standIn(id)?.name),
  });

  return { resources: activeResources(source, lookup), resolved: (value: unknown): unknown => resolve(value, lookup) };
}

/**
 * @param template the parsed JSON of a synthesized template
 * @throws TemplateError naming the logical ID and what could not be resolved
 */
export function policiesOf(template: unknown, options: Imagined = {}): readonly TemplatePolicy[] {
  const { resources, resolved } = imagine(template, options);
  const permissions = permissionsIn(resources, resolved);
  return [...resources].flatMap(([logicalId, { Type, Properties }]) => {
    const entries: { kind: TemplatePolicyKind; name: unknown; document: unknown }[] = (carriers[Type] ?? [])
      .filter(({ property }) => Properties[property] !== undefined)
      .map(({ kind, property, name }) => ({ kind, name: Properties[name], document: Properties[property] }));
    if (Type === 'AWS::IAM::Role') entries.push(...inlineOf(Properties['Policies']));
    const Statement = permissions.get(logicalId);
    if (Statement !== undefined) entries.push({ kind: 'resource', name: logicalId, document: { Version: '2012-10-17', Statement } });
    return entries.map(({ kind, name, document }) => ({
      kind,
      logicalId,
      name: typeof name === 'string' ? name : logicalId,
      document: parseDocument(logicalId, resolved(document)),
    }));
  });
}

const inlinePolicies = z.array(z.looseObject({ PolicyName: z.string(), PolicyDocument: z.unknown() })).default([]);
function inlineOf(policies: unknown): { kind: 'inline'; name: unknown; document: unknown }[] {
  return inlinePolicies
    .parse(policies)
    .map(({ PolicyName, PolicyDocument }) => ({ kind: 'inline', name: PolicyName, document: PolicyDocument }));
}

/**
 * A function has no document in a template, but one permission after the other: together they are its policy. Each statement has the permission's logical ID.
 * @returns statements by the function's logical ID
 */
function permissionsIn(
  resources: ReturnType<typeof imagine>['resources'],
  resolved: (value: unknown) => unknown,
): ReadonlyMap<string, readonly PolicyStatement[]> {
  const ofType = (type: string) => [...resources].filter(([, { Type }]) => Type === type);
  const functions = ofType('AWS::Lambda::Function').map(([id]) => ({
    id,
    name: resolved({ Ref: id }),
    arn: String(resolved({ 'Fn::GetAtt': [id, 'Arn'] })),
  }));
  const found = new Map<string, PolicyStatement[]>();
  for (const [id, { Properties }] of ofType('AWS::Lambda::Permission')) {
    const { data, error } = permissionProperties.safeParse(resolved(Properties));
    if (data === undefined) throw new TemplateError(`${id}: ${z.prettifyError(error)}`);
    const fn = functions.find(({ name, arn }) => [name, arn].includes(data.FunctionName));
    if (fn === undefined) throw new TemplateError(`${id}: ${data.FunctionName} is no function of the template`);
    found.set(fn.id, [...(found.get(fn.id) ?? []), permissionStatement(id, data, fn.arn)]);
  }
  return found;
}

/** A logs resource policy is JSON text, all others are objects. */
function parseDocument(logicalId: string, value: unknown): PolicyDocument {
  try {
    return parsePolicyDocument(typeof value === 'string' ? value : JSON.stringify(value));
  } catch (cause) {
    throw new TemplateError(`${logicalId}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
