import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { TemplateError } from '../intrinsics.ts';
import { policyDocument, type ResourceContext, type ResourceHandlers, resource, tagList, textOf, unlessGone } from '../resource-handler.ts';

const inline = z.strictObject({ PolicyName: z.string(), PolicyDocument: policyDocument });
const putInline = (context: ResourceContext, RoleName: string, { PolicyName, PolicyDocument }: z.output<typeof inline>) =>
  context.call('iam', 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) });

const gone = 'NoSuchEntity';

const role = z.strictObject({
  RoleName: z.string().optional(),
  Path: z.string().optional(),
  Description: z.string().optional(),
  AssumeRolePolicyDocument: policyDocument,
  PermissionsBoundary: z.string().optional(),
  /** Parameters are text, literals numbers. */
  MaxSessionDuration: z.coerce.number().optional(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(inline).default([]),
  Tags: tagList,
});
type Role = z.output<typeof role>;

export const iamResources: ResourceHandlers = {
  'AWS::IAM::Role': resource(
    role,
    {},
    async ({ ManagedPolicyArns, Policies, AssumeRolePolicyDocument, MaxSessionDuration, RoleName: given, ...properties }, context) => {
      const RoleName = given ?? context.physicalName(64);
      const answer = await context.call('iam', 'CreateRole', {
        ...properties,
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify(AssumeRolePolicyDocument),
        ...(MaxSessionDuration === undefined ? {} : { MaxSessionDuration: String(MaxSessionDuration) }),
      });
      const created = {
        physicalId: RoleName,
        attributes: { Arn: textOf(answer, 'Role', 'Arn'), RoleId: textOf(answer, 'Role', 'RoleId') },
      };
      context.made(created);
      for (const PolicyArn of ManagedPolicyArns) await context.call('iam', 'AttachRolePolicy', { RoleName, PolicyArn });
      for (const policy of Policies) await putInline(context, RoleName, policy);
      return created;
    },
    {
      update: (properties, before, { physicalId }, context) => updateRole(physicalId, properties, before, context),
      /** Only what the template has put on it: a policy that somebody added keeps the role, and CloudFormation says so. */
      async remove({ ManagedPolicyArns, Policies }, { physicalId: RoleName }, { call }) {
        for (const PolicyArn of ManagedPolicyArns) await unlessGone(call('iam', 'DetachRolePolicy', { RoleName, PolicyArn }), gone);
        for (const { PolicyName } of Policies) await unlessGone(call('iam', 'DeleteRolePolicy', { RoleName, PolicyName }), gone);
        await unlessGone(call('iam', 'DeleteRole', { RoleName }), gone);
      },
    },
  ),
  'AWS::IAM::Policy': resource(inline.extend({ Roles: z.array(z.string()).min(1) }), {}, async ({ Roles, ...policy }, context) => {
    for (const RoleName of Roles) await putInline(context, RoleName, policy);
    return { physicalId: context.physicalName(128), attributes: {} };
  }),
  'AWS::IAM::ManagedPolicy': resource(
    z.strictObject({
      ManagedPolicyName: z.string().optional(),
      Path: z.string().optional(),
      Description: z.string().optional(),
      PolicyDocument: policyDocument,
      Roles: z.array(z.string()).default([]),
    }),
    {},
    async ({ ManagedPolicyName, PolicyDocument, Roles, ...properties }, { call, physicalName, made }) => {
      const input = { ...properties, PolicyName: ManagedPolicyName ?? physicalName(128), PolicyDocument: JSON.stringify(PolicyDocument) };
      const PolicyArn = textOf(await call('iam', 'CreatePolicy', input), 'Policy', 'Arn');
      const created = { physicalId: PolicyArn, attributes: { PolicyArn } };
      made(created);
      for (const RoleName of Roles) await call('iam', 'AttachRolePolicy', { RoleName, PolicyArn });
      return created;
    },
    {
      async remove({ Roles }, { physicalId: PolicyArn }, { call }) {
        for (const RoleName of Roles) await unlessGone(call('iam', 'DetachRolePolicy', { RoleName, PolicyArn }), gone);
        await unlessGone(call('iam', 'DeletePolicy', { PolicyArn }), gone);
      },
    },
  ),
};

/** A change of name or path would be another role: CloudFormation replaces it, the local cloud does not. */
async function updateRole(RoleName: string, to: Role, from: Role, context: ResourceContext): Promise<void> {
  const { call } = context;
  const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);
  if (to.RoleName !== from.RoleName || to.Path !== from.Path)
    throw new TemplateError('a change of RoleName or Path replaces the role, which the local cloud does not do');
  if (!isSame(to.AssumeRolePolicyDocument, from.AssumeRolePolicyDocument))
    await call('iam', 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: JSON.stringify(to.AssumeRolePolicyDocument) });
  if (to.Description !== from.Description || to.MaxSessionDuration !== from.MaxSessionDuration)
    await call('iam', 'UpdateRole', {
      RoleName,
      Description: to.Description ?? '',
      MaxSessionDuration: String(to.MaxSessionDuration ?? 3600),
    });
  if (to.PermissionsBoundary !== from.PermissionsBoundary) {
    const { PermissionsBoundary } = to;
    if (PermissionsBoundary === undefined) await call('iam', 'DeleteRolePermissionsBoundary', { RoleName });
    else await call('iam', 'PutRolePermissionsBoundary', { RoleName, PermissionsBoundary });
  }
  for (const PolicyArn of to.ManagedPolicyArns.filter((arn) => !from.ManagedPolicyArns.includes(arn)))
    await call('iam', 'AttachRolePolicy', { RoleName, PolicyArn });
  for (const policy of to.Policies.filter((policy) => !from.Policies.some((other) => isSame(policy, other))))
    await putInline(context, RoleName, policy);
  for (const PolicyArn of from.ManagedPolicyArns.filter((arn) => !to.ManagedPolicyArns.includes(arn)))
    await unlessGone(call('iam', 'DetachRolePolicy', { RoleName, PolicyArn }), gone);
  for (const { PolicyName } of from.Policies.filter(({ PolicyName }) => !to.Policies.some((other) => other.PolicyName === PolicyName)))
    await unlessGone(call('iam', 'DeleteRolePolicy', { RoleName, PolicyName }), gone);
  const [tags, oldTags] = [to.Tags ?? [], from.Tags ?? []];
  const TagKeys = oldTags.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key));
  if (TagKeys.length > 0) await call('iam', 'UntagRole', { RoleName, TagKeys });
  if (tags.length > 0 && !isSame(tags, oldTags)) await call('iam', 'TagRole', { RoleName, Tags: tags });
}
