/** The principals of the synthesized stack with the policies they carry, by reference, so that one policy can be exchanged for another and everything asked again. */
import { z } from 'zod';
import type { PolicyDocument } from '../../../local/iam/policy.ts';
import { imagine, policiesOf } from '../../../local/template/policies.ts';
import { dedicatedParts } from './dedicated.ts';
import { other, own, spelled } from './letters.ts';
import { list } from './lists.ts';

export const account = '111122223333';
export const region = 'us-east-1';

export interface Principal {
  /** The role's name, or the logical ID of a role without a name. */
  readonly name: string;
  readonly arn: string;
  /** By the boundary: `tenant` acts for a tenant, `function` is a function's own role, `other` has none. */
  readonly kind: 'tenant' | 'function' | 'other';
  /** Names of policies, see `Stack.policies`. */
  readonly identity: readonly string[];
  readonly boundary?: string;
  readonly trust?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface StackKey {
  readonly name: string;
  readonly arn: string;
  readonly policy: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Stack {
  /** Documents by name: `managed TenantReaderAccess`, `inline …`, `trust TenantReader`, `key …`. A dedicated tenant's are there for both tenants. */
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  readonly principals: readonly Principal[];
  readonly keys: readonly StackKey[];
  readonly tables: { readonly registry: string; readonly attribution: string };
  /** What the policy of a queue, bucket, topic or function is attached to, as patterns. */
  readonly guarded: ReadonlyMap<string, readonly string[]>;
  /** The ARNs of the template's resources, as far as they have one. */
  readonly resources: readonly string[];
  /** ARN of a managed policy by its name in `policies`. */
  readonly arns: ReadonlyMap<string, string>;
}

const reference = z.strictObject({ Ref: z.string() });
const tagList = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]);
const roleProperties = z.looseObject({
  RoleName: z.string().optional(),
  ManagedPolicyArns: z.array(z.unknown()).default([]),
  PermissionsBoundary: reference.optional(),
  Tags: tagList,
});
const inlineProperties = z.looseObject({ Roles: z.array(reference).default([]) });
const environment = z.looseObject({ Environment: z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).optional() });

/** @param template the parsed JSON of the synthesized template */
export async function readStack(template: unknown): Promise<Stack> {
  const documents = policiesOf(template, { accountId: account, region });
  const { resources, resolved } = imagine(template, { accountId: account, region });
  const text = (value: unknown): string => z.string().parse(resolved(value));
  const arnOf = (id: string): string => text({ 'Fn::GetAtt': [id, 'Arn'] });
  const ofType = (type: string) => [...resources].filter(([, { Type }]) => Type === type);

  const policies = new Map<string, PolicyDocument>();
  const idsOf = new Map<string, string[]>();
  for (const { kind, name, logicalId, document } of documents) {
    const id = kind === 'inline' ? `inline ${logicalId} ${name}` : `${kind} ${kind === 'key' ? logicalId : name}`;
    policies.set(id, document);
    idsOf.set(`${kind} ${logicalId}`, [...(idsOf.get(`${kind} ${logicalId}`) ?? []), id]);
  }
  const ids = (kind: string, logicalId: string): string[] => idsOf.get(`${kind} ${logicalId}`) ?? [];
  const managed = (logicalId: string): string => {
    const [id] = ids('managed', logicalId);
    if (id === undefined) throw new Error(`${logicalId} is no managed policy of the stack`);
    return id;
  };
  const arns = new Map(ofType('AWS::IAM::ManagedPolicy').map(([id]) => [managed(id), text({ Ref: id })]));

  const attached = new Map<string, string[]>();
  for (const [id, { Properties }] of ofType('AWS::IAM::Policy')) {
    for (const { Ref } of inlineProperties.parse(Properties).Roles) attached.set(Ref, [...(attached.get(Ref) ?? []), ...ids('inline', id)]);
  }
  const principals = ofType('AWS::IAM::Role').map(([id, { Properties }]): Principal => {
    const { RoleName, ManagedPolicyArns, PermissionsBoundary, Tags } = roleProperties.parse(Properties);
    const boundary = PermissionsBoundary && managed(PermissionsBoundary.Ref);
    const own = ManagedPolicyArns.flatMap((arn) => {
      const { success, data } = reference.safeParse(arn);
      if (success) return [managed(data.Ref)];
      // API Gateway's own, to write its logs: the one policy that is not the stack's.
      if (text(arn) !== 'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs')
        throw new Error(`${id} carries a policy that is not the stack's`);
      return [];
    });
    return {
      name: RoleName ?? id,
      arn: arnOf(id),
      kind: boundary === undefined ? 'other' : boundary === 'managed TenantBoundary' ? 'tenant' : 'function',
      identity: [...own, ...ids('inline', id), ...(attached.get(id) ?? [])],
      ...(boundary !== undefined && { boundary }),
      trust: ids('trust', id)[0] ?? '',
      tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])),
    };
  });
  const keys = ofType('AWS::KMS::Key').map(([id, { Properties }]): StackKey => {
    const tags = tagList.parse(Properties['Tags']);
    return {
      name: id,
      arn: arnOf(id),
      policy: ids('key', id)[0] ?? '',
      tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])),
    };
  });

  const settings = ofType('AWS::Lambda::Function')
    .map(([, { Properties }]) => environment.parse(Properties).Environment?.Variables ?? {})
    .find((variables) => 'TENANT_PROVISIONER_ROLE_ARN' in variables);
  const dedicated = await dedicatedParts((name) => text(settings?.[name]));
  for (const { id, document } of dedicated.policies) policies.set(id, document);
  const byArn = (arn: string): string => {
    const found = [...arns].find(([, value]) => value === arn)?.[0];
    if (found === undefined) throw new Error(`the provisioner attaches ${arn}, which is no policy of the stack`);
    return found;
  };
  const agents = [own, other].flatMap((tenant) =>
    dedicated.roles.map(
      ({ name, trust, boundary, attached: theirs, tags }): Principal => ({
        name: name(tenant),
        arn: `arn:aws:iam::${account}:role/cordon/${name(tenant)}`,
        kind: 'tenant',
        identity: theirs.map(byArn),
        boundary: byArn(boundary),
        trust,
        tags: tags(tenant),
      }),
    ),
  );
  const table = (prefix: string): string => {
    const [found] = ofType('AWS::DynamoDB::Table').find(([id]) => id.startsWith(prefix)) ?? [];
    if (found === undefined) throw new Error(`the stack has no ${prefix}`);
    return arnOf(found);
  };
  return {
    policies,
    principals: [...principals, ...agents],
    keys: [
      ...keys,
      ...[own, other].map((tenant) => ({
        name: `DedicatedKey of ${spelled(tenant)}`,
        arn: `arn:aws:kms:${region}:${account}:key/dedicated-${tenant}`,
        policy: 'key dedicated',
        tags: dedicated.keyTags(tenant),
      })),
    ],
    guarded: new Map([...policies].flatMap(([id, { Statement }]) => guardedBy(id, Statement))),
    resources: [...resources.keys()].map(arnOf).filter((arn) => arn.startsWith('arn:')),
    tables: { registry: table('RegistryTable'), attribution: table('AttributionTable') },
    arns,
  };
}

/** Whose policy is about nothing else. */
function guardedBy(id: string, statements: PolicyDocument['Statement']): (readonly [string, readonly string[]])[] {
  const resources = [...new Set(list(statements).flatMap(({ Resource }) => list(Resource)))];
  return id.startsWith('resource ') && resources.some((arn) => /^arn:aws:(lambda|s3|sns|sqs):/.test(arn)) ? [[id, resources]] : [];
}

/** What is reached without TLS too. Lambda is not: "Infrastructure security in AWS Lambda"; nor can a permission refuse anything. */
export const isReachedInClear = (resources: readonly string[]): boolean => resources.some((arn) => /^arn:aws:(s3|sns|sqs):/.test(arn));

/** Which tenant a dedicated role or key belongs to; undefined for what all tenants share. */
export const ownerOf = ({ tags }: { readonly tags: Readonly<Record<string, string>> }): string | undefined => tags['TenantId'];
