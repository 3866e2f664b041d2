import {
  type AttachedPolicy,
  GetAccountAuthorizationDetailsCommand,
  type GetAccountAuthorizationDetailsCommandOutput,
  type IAMClient,
  ListRolesCommand,
  type ListRolesCommandOutput,
  type RoleDetail,
} from '@aws-sdk/client-iam';
import { aws } from '../../shared/aws-errors.ts';
import type { DeployedHolder, DeployedIdentities, DeployedPolicy, DeployedRole } from './deployed.ts';

/** The most that a page holds: 10,000 identities are ten calls. */
const MaxItems = 1000;

/**
 * The whole account's identities in one listing: asking role by role would be thousands of calls where there are thousands of dedicated tenants.
 *
 * @param client with the credentials of the audit's own role
 * @throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED
 */
export async function readIdentities(client: IAMClient): Promise<DeployedIdentities> {
  const [details, sessions] = await Promise.all([accountDetails(client), longestSessions(client)]);
  return { ...details, roles: details.roles.map((role) => ({ ...role, longestSession: sessions.get(role.arn) ?? role.longestSession })) };
}

async function accountDetails(client: IAMClient): Promise<DeployedIdentities> {
  const roles: DeployedRole[] = [];
  const policies: DeployedPolicy[] = [];
  const usersAndGroups: DeployedHolder[] = [];
  let Marker: string | undefined;
  do {
    const page: GetAccountAuthorizationDetailsCommandOutput = await aws('listing the account’s identities', () =>
      client.send(new GetAccountAuthorizationDetailsCommand({ Filter: ['Role', 'User', 'Group', 'LocalManagedPolicy'], MaxItems, Marker })),
    );
    roles.push(...(page.RoleDetailList ?? []).map(roleOf));
    for (const { Arn = '', AttachedManagedPolicies } of [...(page.UserDetailList ?? []), ...(page.GroupDetailList ?? [])])
      usersAndGroups.push({ arn: Arn, attached: arnsOf(AttachedManagedPolicies) });
    for (const { PolicyName: name = '', Path: path = '/', Arn: arn = '', PolicyVersionList = [] } of page.Policies ?? [])
      policies.push({ name, path, arn, document: PolicyVersionList.find(({ IsDefaultVersion }) => IsDefaultVersion)?.Document ?? '' });
    Marker = page.Marker;
  } while (Marker !== undefined);
  return { roles, policies, usersAndGroups };
}

/** The one thing that the details leave out. */
async function longestSessions(client: IAMClient): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  let Marker: string | undefined;
  do {
    const page: ListRolesCommandOutput = await aws('listing the account’s roles', () =>
      client.send(new ListRolesCommand({ MaxItems, Marker })),
    );
    for (const { Arn, MaxSessionDuration } of page.Roles ?? [])
      if (Arn !== undefined && MaxSessionDuration !== undefined) found.set(Arn, MaxSessionDuration);
    Marker = page.Marker;
  } while (Marker !== undefined);
  return found;
}

function roleOf(detail: RoleDetail): DeployedRole {
  const { RoleName = '', Path = '/', Arn = '', CreateDate, AssumeRolePolicyDocument = '', PermissionsBoundary } = detail;
  return {
    name: RoleName,
    path: Path,
    arn: Arn,
    madeAt: CreateDate?.getTime() ?? 0,
    trust: AssumeRolePolicyDocument,
    inline: Object.fromEntries(
      (detail.RolePolicyList ?? []).map(({ PolicyName = '', PolicyDocument = '' }) => [PolicyName, PolicyDocument]),
    ),
    attached: arnsOf(detail.AttachedManagedPolicies),
    boundary: PermissionsBoundary?.PermissionsBoundaryArn,
    tags: Object.fromEntries((detail.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    // Made between the two listings: not known yet.
    longestSession: 3600,
  };
}

function arnsOf(attached: readonly AttachedPolicy[] = []): readonly string[] {
  return attached.flatMap(({ PolicyArn }) => PolicyArn ?? []);
}
