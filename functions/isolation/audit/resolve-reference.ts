import type { Cell } from '../../tenants/dedicated-policies.ts';

/** A resource of the deployed stack: what `Ref` gives of it, as CloudFormation lists it. */
export interface StackResource {
  readonly type: string;
  readonly physicalId: string;
}

export interface DeployedStack {
  readonly cell: Cell;
  /** By logical ID. */
  readonly resources: ReadonlyMap<string, StackResource>;
  /** The path of a role, which its physical ID leaves out; `/` for one without. */
  pathOf(logicalId: string): string;
}

/** The stack lacks what the reference refers to, or refers to it in a way that is not known here. */
export class Unresolved extends Error {
  override readonly name = 'Unresolved';
}

/**
 * Puts real names in the place of the template's references. Only the functions that the stack's policies use are known: the synthesis fails at any other.
 * Source: AWS CloudFormation Template Reference, "Ref", "Fn::GetAtt", "Fn::Join"; return values of each resource type.
 *
 * @throws Unresolved
 */
export function resolved(value: unknown, stack: DeployedStack): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, stack));
  if (typeof value !== 'object' || value === null) return value;
  const [entry, ...more] = Object.entries(value);
  if (entry !== undefined && more.length === 0) {
    const [name, argument] = entry;
    if (name === 'Ref') return refOf(String(argument), stack);
    if (name === 'Fn::GetAtt') return arnOf(argument, stack);
    if (name === 'Fn::Join') return joined(argument, stack);
    if (name.startsWith('Fn::')) throw new Unresolved(`the function ${name} is not known here`);
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one, stack)]));
}

function refOf(name: string, { cell, resources }: DeployedStack): string {
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': cell.accountId,
    'AWS::Partition': cell.partition,
    'AWS::Region': cell.region,
  };
  const found = pseudo[name] ?? resources.get(name)?.physicalId;
  if (found === undefined) throw new Unresolved(`the stack has no ${name}`);
  return found;
}

function arnOf(argument: unknown, stack: DeployedStack): string {
  const [logicalId, attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
  const resource = stack.resources.get(logicalId ?? '');
  if (resource === undefined || logicalId === undefined) throw new Unresolved(`the stack has no ${logicalId}`);
  if (attribute !== 'Arn') throw new Unresolved(`the attribute ${attribute} of ${resource.type} is not known here`);
  return arnOfResource(resource, stack.pathOf(logicalId), stack.cell);
}

/** From what CloudFormation calls the resource by. A rule on a bus of its own is `{bus}|{rule}`, a queue its URL. */
export function arnOfResource({ type, physicalId }: StackResource, path: string, { partition, region, accountId }: Cell): string {
  const here = (service: string, name: string): string => `arn:${partition}:${service}:${region}:${accountId}:${name}`;
  switch (type) {
    case 'AWS::IAM::Role':
      return `arn:${partition}:iam::${accountId}:role${path}${physicalId}`;
    case 'AWS::Lambda::Function':
      return here('lambda', `function:${physicalId}`);
    case 'AWS::SQS::Queue':
      return here('sqs', physicalId.split('/').at(-1) ?? '');
    case 'AWS::DynamoDB::Table':
      return here('dynamodb', `table/${physicalId}`);
    case 'AWS::KMS::Key':
      return here('kms', `key/${physicalId}`);
    case 'AWS::Logs::LogGroup':
      return here('logs', `log-group:${physicalId}:*`);
    case 'AWS::Events::EventBus':
      return here('events', `event-bus/${physicalId}`);
    case 'AWS::Events::Rule':
      return here('events', `rule/${physicalId.replace('|', '/')}`);
    case 'AWS::S3::Bucket':
      return `arn:${partition}:s3:::${physicalId}`;
    default:
      throw new Unresolved(`the ARN of ${type} is not known here`);
  }
}

function joined(argument: unknown, stack: DeployedStack): string {
  const [separator, parts]: unknown[] = Array.isArray(argument) ? argument : [];
  if (typeof separator !== 'string' || !Array.isArray(parts)) throw new Unresolved('Fn::Join without a separator and a list');
  return parts.map((part) => String(resolved(part, stack))).join(separator);
}
