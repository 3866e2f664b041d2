import { z } from 'zod';
import { policyDocument, type ResourceContext, type ResourceHandlers, resource, tagList, textOf } from '../resource-handler.ts';

const inline = z.strictObject({ PolicyName: z.string(), PolicyDocument: policyDocument });
const putInline = (context: ResourceContext, RoleName: string, { PolicyName, PolicyDocument }: z.output<typeof inline>) =>
  context.call('iam', 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) });

export const iamResources: ResourceHandlers = {
  'AWS::IAM::Role': resource(
    z.strictObject({
      RoleName: z.string().optional(),
      Path: z.string().optional(),
      Description: z.string().optional(),
      AssumeRolePolicyDocument: policyDocument,
      PermissionsBoundary: z.string().optional(),
      MaxSessionDuration: z.number().optional(),
      ManagedPolicyArns: z.array(z.string()).default([]),
      Policies: z.array(inline).default([]),
      Tags: tagList,
    }),
    {},
    async ({ ManagedPolicyArns, Policies, AssumeRolePolicyDocument, MaxSessionDuration, RoleName: given, ...properties }, context) => {
      const RoleName = given ?? context.physicalName(64);
      const answer = await context.call('iam', 'CreateRole', {
        ...properties,
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify(AssumeRolePolicyDocument),
        ...(MaxSessionDuration === undefined ? {} : { MaxSessionDuration: String(MaxSessionDuration) }),
      });
      for (const PolicyArn of ManagedPolicyArns) await context.call('iam', 'AttachRolePolicy', { RoleName, PolicyArn });
      for (const policy of Policies) await putInline(context, RoleName, policy);
      return { physicalId: RoleName, attributes: { Arn: textOf(answer, 'Role', 'Arn'), RoleId: textOf(answer, 'Role', 'RoleId') } };
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
    async ({ ManagedPolicyName, PolicyDocument, Roles, ...properties }, { call, physicalName }) => {
      const input = { ...properties, PolicyName: ManagedPolicyName ?? physicalName(128), PolicyDocument: JSON.stringify(PolicyDocument) };
      const PolicyArn = textOf(await call('iam', 'CreatePolicy', input), 'Policy', 'Arn');
      for (const RoleName of Roles) await call('iam', 'AttachRolePolicy', { RoleName, PolicyArn });
      return { physicalId: PolicyArn, attributes: { PolicyArn } };
    },
  ),
};
