/** What the synthesized template says of who exists and what there is: roles with their policies, functions, and the things that policies speak of. */
import { z } from 'zod';
import { type CompiledPolicy, compilePolicy } from '../../local/iam/evaluate.ts';
import type { PolicyStatement } from '../../local/iam/policy.ts';
import { imagine, policiesOf } from '../../local/template/policies.ts';
import { dedicatedKeys, dedicatedRoles } from './dedicated.ts';
import { anybody, plainName, type Role, type Stack, type StackFunction, type Thing } from './stack-model.ts';

export const account = '111122223333';
export const region = 'us-east-1';

const reference = z.strictObject({ Ref: z.string() });
const tags = z
  .array(z.object({ Key: z.string(), Value: z.string() }))
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value])));
const roleFields = z.looseObject({
  RoleName: z.string().optional(),
  ManagedPolicyArns: z.array(z.unknown()).default([]),
  PermissionsBoundary: z.unknown().optional(),
  Tags: tags,
});
const functionFields = z.looseObject({
  Role: z.unknown().optional(),
  TenancyConfig: z.object({ TenantIsolationMode: z.string() }).optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).optional(),
});
const tableFields = z.looseObject({
  GlobalSecondaryIndexes: z.array(z.looseObject({ IndexName: z.string() })).default([]),
  LocalSecondaryIndexes: z.array(z.looseObject({ IndexName: z.string() })).default([]),
});
const ruleFields = z.looseObject({
  EventPattern: z.looseObject({ 'detail-type': z.array(z.unknown()).default([]), source: z.array(z.unknown()).default([]) }),
  Targets: z.array(z.looseObject({ Arn: z.unknown() })).default([]),
});

/**
 * @param template the parsed JSON of a synthesized template
 * @throws TemplateError, MalformedPolicy or ZodError for a template that is not understood: what is not understood is never left out
 */
export function readStack(template: unknown): Stack {
  const { resources, resolved } = imagine(template, { accountId: account, region });
  const documents = policiesOf(template, { accountId: account, region });
  const ofType = (type: string) => [...resources].filter(([, { Type }]) => Type === type);
  const text = (value: unknown): string => z.string().parse(resolved(value));
  const arnOf = (id: string): string => text({ 'Fn::GetAtt': [id, 'Arn'] });
  const things = (type: string): Thing[] => ofType(type).map(([id]) => ({ name: plainName(id), arn: arnOf(id) }));
  const documentOf = (id: string, kind: string) => documents.find((one) => one.logicalId === id && one.kind === kind)?.document;

  const managed = new Map(
    ofType('AWS::IAM::ManagedPolicy').map(([id, { Properties }]) => {
      const document = documentOf(id, 'managed');
      if (document === undefined) throw new TypeError(`${id} has no document`);
      const name = typeof Properties['ManagedPolicyName'] === 'string' ? Properties['ManagedPolicyName'] : plainName(id);
      return [text({ Ref: id }), { name, document }] as const;
    }),
  );
  const policy = (arn: string, kind: 'identity' | 'boundary'): CompiledPolicy => {
    const found = managed.get(arn);
    if (found === undefined) throw new TypeError(`${arn} is no policy of the stack`);
    return compilePolicy(found.name, kind, found.document);
  };
  const inline = (id: string): CompiledPolicy[] => {
    const attached = ofType('AWS::IAM::Policy').flatMap(([policyId, { Properties }]) =>
      z
        .array(reference)
        .default([])
        .parse(Properties['Roles'])
        .some(({ Ref }) => Ref === id)
        ? [policyId]
        : [],
    );
    return documents
      .filter((one) => one.kind === 'inline' && [id, ...attached].includes(one.logicalId))
      .map(({ name, document }) => compilePolicy(name, 'identity', document));
  };
  const roles = ofType('AWS::IAM::Role').map(([id, { Properties }]): Role => {
    const given = roleFields.parse(Properties);
    const name = given.RoleName ?? plainName(id);
    const trust = documentOf(id, 'trust');
    const arns = given.ManagedPolicyArns.map(text);
    return {
      name,
      arn: arnOf(id),
      identity: [...arns.filter((arn) => managed.has(arn)).map((arn) => policy(arn, 'identity')), ...inline(id)],
      foreign: arns.filter((arn) => !managed.has(arn)),
      ...(given.PermissionsBoundary !== undefined && { boundary: policy(text(given.PermissionsBoundary), 'boundary') }),
      ...(trust !== undefined && { trust: compilePolicy(`trust of ${name}`, 'resource', trust) }),
      tags: given.Tags,
    };
  });

  const functions = readFunctions();
  const provisioning = functions.find(({ settings }) => 'TENANT_PROVISIONER_ROLE_ARN' in settings)?.settings ?? {};
  const dedicated = dedicatedRoles((name) => text(provisioning[name]), policy);
  return {
    roles: [
      ...roles,
      ...dedicated,
      ...unattached(),
      { name: anybody, arn: `arn:aws:iam::${account}:role/anybody`, identity: [], foreign: [], tags: {} },
    ],
    functions,
    keys: [
      ...ofType('AWS::KMS::Key').map(([id, { Properties }]) => {
        const document = documentOf(id, 'key');
        return {
          name: plainName(id),
          arn: arnOf(id),
          tags: tags.parse(Properties['Tags']),
          ...(document !== undefined && { policy: compilePolicy(plainName(id), 'resource', document) }),
        };
      }),
      ...dedicatedKeys((name) => text(provisioning[name])),
    ],
    tables: ofType('AWS::DynamoDB::Table').map(([id, { Properties }]) => {
      const { GlobalSecondaryIndexes, LocalSecondaryIndexes } = tableFields.parse(Properties);
      return {
        name: plainName(id),
        arn: arnOf(id),
        ownIndexes: LocalSecondaryIndexes.map(({ IndexName }) => IndexName),
        commonIndexes: GlobalSecondaryIndexes.map(({ IndexName }) => IndexName),
      };
    }),
    platformSecrets: ofType('AWS::SecretsManager::Secret').map(([id]) => ({ name: plainName(id), arn: text({ Ref: id }) })),
    queues: things('AWS::SQS::Queue'),
    buses: things('AWS::Events::EventBus'),
    buckets: things('AWS::S3::Bucket'),
    logGroups: things('AWS::Logs::LogGroup'),
    policies: [...managed].map(([arn, { name }]) => ({ name, arn })),
    boundaries: [
      ...new Set(
        ofType('AWS::IAM::Role').flatMap(([, { Properties }]) =>
          Properties['PermissionsBoundary'] === undefined ? [] : [text(Properties['PermissionsBoundary'])],
        ),
      ),
    ],
    events: readEvents(),
    resourcePolicies: readResourcePolicies(),
    documents: documents.map(({ document }) => document),
  };

  function readFunctions(): (StackFunction & { readonly settings: Readonly<Record<string, unknown>> })[] {
    const authorizing = JSON.stringify(ofType('AWS::ApiGateway::Authorizer'));
    // A method that asks for an authorizer brings a caller's token; one that does not is for everybody.
    const answering = JSON.stringify(
      ofType('AWS::ApiGateway::Method').filter(([, { Properties }]) => Properties['AuthorizationType'] !== 'NONE'),
    );
    return ofType('AWS::Lambda::Function').map(([id, { Properties }]) => {
      const { Role: roleArn, TenancyConfig, Environment } = functionFields.parse(Properties);
      return {
        name: plainName(id).replace(/Function$/, ''),
        arn: arnOf(id),
        roleArn: text(roleArn),
        perTenant: TenancyConfig?.TenantIsolationMode === 'PER_TENANT',
        takesTokens: authorizing.includes(`"${id}"`) || answering.includes(`"${id}"`),
        consumes: ofType('AWS::Lambda::EventSourceMapping').flatMap(([, mapping]) =>
          [id, arnOf(id)].includes(text(mapping.Properties['FunctionName'])) ||
          JSON.stringify(mapping.Properties['FunctionName']).includes(`"${id}"`)
            ? [text(mapping.Properties['EventSourceArn'])]
            : [],
        ),
        settings: Environment?.Variables ?? {},
      };
    });
  }

  /** Which queues an event goes to, by source and detail type. Types that a rule only excludes are not listed: its queue is where the refused ones end. */
  function readEvents(): Stack['events'] {
    return ofType('AWS::Events::Rule').flatMap(([, { Properties }]) => {
      const { EventPattern, Targets } = ruleFields.parse(Properties);
      const named = (list: readonly unknown[]): string[] => list.filter((one) => typeof one === 'string');
      const queues = Targets.map(({ Arn }) => text(Arn));
      return named(EventPattern.source).flatMap((source) => {
        const types = named(EventPattern['detail-type']);
        // A rule for a source alone takes whatever comes from it.
        const asked = EventPattern['detail-type'].length === 0 ? [undefined] : types;
        return asked.map((detailType) => ({ source, ...(detailType !== undefined && { detailType }), queues }));
      });
    });
  }

  function readResourcePolicies(): ReadonlyMap<string, CompiledPolicy> {
    const policies = new Map<string, CompiledPolicy>();
    for (const [type, property] of [
      ['AWS::SQS::QueuePolicy', 'Queues'],
      ['AWS::S3::BucketPolicy', 'Bucket'],
    ] as const) {
      for (const [id, { Properties }] of ofType(type)) {
        const document = documentOf(id, 'resource');
        if (document === undefined) throw new TypeError(`${id} has no document`);
        for (const { Ref } of z.array(reference).parse([Properties[property]].flat()))
          policies.set(arnOf(Ref), compilePolicy(plainName(id), 'resource', document));
      }
    }
    for (const [id] of ofType('AWS::Lambda::Function')) {
      const permissions = documentOf(id, 'resource');
      if (permissions === undefined) continue;
      // What a permission says of the source is left out: taken for true, it lets in more.
      const Statement = [permissions.Statement].flat().map(({ Condition: _source, ...statement }): PolicyStatement => statement);
      policies.set(arnOf(id), compilePolicy(`permissions of ${plainName(id)}`, 'resource', { Statement }));
    }
    return policies;
  }

  /** A policy that no role of the stack carries is for a role that people sign in with. */
  function unattached(): Role[] {
    const carried = new Set(
      [...roles, ...dedicated].flatMap(({ identity, boundary }) => [...identity, ...(boundary ? [boundary] : [])].map(({ name }) => name)),
    );
    return [...managed].flatMap(([arn, { name }]) =>
      carried.has(name)
        ? []
        : [{ name, arn: `arn:aws:iam::${account}:role/somebody-with-${name}`, identity: [policy(arn, 'identity')], foreign: [], tags: {} }],
    );
  }
}
