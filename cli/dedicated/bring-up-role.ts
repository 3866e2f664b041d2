import {
  AttachRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  PutRolePermissionsBoundaryCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { aws, isAwsError } from '../../functions/shared/aws-errors.ts';
import type { PlannedRole } from '../../functions/tenants/dedicated-plan.ts';
import { CommandError } from '../command-error.ts';
import type { Change } from './change.ts';
import { sameDocument } from './same-document.ts';

/**
 * What makes a tenant's role as it is planned; empty when it is. The boundary comes first: whatever a role is given after it is under it.
 *
 * @throws CommandError NOT_THE_TENANTS when there is no such role, or it is somebody else's; CordonError as `aws`
 */
export async function roleChanges(
  iam: IAMClient,
  { name: RoleName, path, trust, boundaryArn, policyArns }: PlannedRole,
  tags: Readonly<Record<string, string>>,
): Promise<readonly Change[]> {
  const { Role } = await aws(`reading the role ${RoleName}`, async () => {
    try {
      return await iam.send(new GetRoleCommand({ RoleName }));
    } catch (error) {
      if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) throw notTheTenants(RoleName, 'is not there', error);
      throw error;
    }
  });
  const found = new Map((Role?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  if (Role?.Path !== path || Object.entries(tags).some(([key, value]) => found.get(key) !== value))
    throw notTheTenants(RoleName, 'does not carry the tenant’s tags');
  const { AttachedPolicies = [] } = await aws(`reading what ${RoleName} may do`, () =>
    iam.send(new ListAttachedRolePoliciesCommand({ RoleName })),
  );
  const attached = AttachedPolicies.flatMap(({ PolicyArn }) => PolicyArn ?? []);
  const change = (what: string, apply: () => Promise<unknown>): Change => ({
    what: `${RoleName}: ${what}`,
    apply: () => aws(what, async () => void (await apply())),
  });
  return [
    ...(Role.PermissionsBoundary?.PermissionsBoundaryArn === boundaryArn
      ? []
      : [change('boundary', () => iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: boundaryArn })))]),
    ...policyArns
      .filter((arn) => !attached.includes(arn))
      .map((PolicyArn) => change(`attach ${nameOf(PolicyArn)}`, () => iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn })))),
    ...attached
      .filter((arn) => !policyArns.includes(arn))
      .map((PolicyArn) => change(`detach ${nameOf(PolicyArn)}`, () => iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })))),
    // IAM gives documents back percent-encoded (IAM API Reference, GetRole).
    ...(sameDocument(JSON.parse(decodeURIComponent(Role.AssumeRolePolicyDocument ?? '{}')), trust)
      ? []
      : [change('trust', () => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(trust) })))]),
  ];
}

const nameOf = (arn: string): string => arn.split('/').at(-1) ?? arn;

function notTheTenants(role: string, why: string, cause?: unknown): CommandError {
  return new CommandError('NOT_THE_TENANTS', `The role ${role} ${why}: nothing was changed. See the onboarding's event, or the audit.`, {
    cause,
  });
}
