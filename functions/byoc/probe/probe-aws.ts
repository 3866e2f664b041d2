import { randomBytes } from 'node:crypto';
import { type EvaluationResult, GetRoleCommand, IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { isAwsRefusal } from '../../shared/aws-errors.ts';
import { type ClientCredentials, clientCredentials } from '../../shared/client-session.ts';
import type { Clock } from '../../shared/clock.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import { SecretText } from '../../shared/secret-text.ts';
import type { SessionCredentials } from '../../shared/tenant-sessions.ts';
import type { AllowedUse, ProbeDeps, SimulatedUse } from './probe.ts';

/** A probe asks quickly or not at all: what was throttled or slow is no answer, and comes back as such instead of being tried again behind its back. */
const defaultTimeoutMs = 5_000;
/** STS's minimum; the sessions are dropped when the probe ends. */
const sessionSeconds = 900;

interface ProbeAwsOptions {
  /** The `TenantWriter` session of the tenant whose connection is probed. With `mintedSince` (milliseconds since the epoch), none that was asked for before. */
  readonly openWriter: (tenantId: TenantId, mintedSince?: number) => Promise<SessionCredentials>;
  readonly connectorRoleArn: string;
  /** The second principal's role. */
  readonly probeRoleArn: string;
  readonly platformAccountId: string;
  readonly newExternalId: () => string;
  readonly clock: Clock;
  /** For each call. @default 5000 */
  readonly timeoutMs?: number;
}

/** The probe's AWS calls. Source: STS API Reference (AssumeRole, GetCallerIdentity), IAM API Reference (GetRole, SimulatePrincipalPolicy). */
export function createProbeDeps(options: ProbeAwsOptions): ProbeDeps {
  const ask = createAsk(options.timeoutMs ?? defaultTimeoutMs);
  const platformRole =
    (roleArn: string) =>
    async (tenantId: TenantId): Promise<SessionCredentials> => {
      const request = { RoleArn: roleArn, RoleSessionName: sessionNameOf(tenantId), Tags: [{ Key: 'TenantId', Value: tenantId }] };
      const askedAt = options.clock();
      try {
        return await assume(ask, await options.openWriter(tenantId), request);
      } catch (error) {
        // The writer's session is kept, and may have been cut off since.
        if (!isAwsRefusal(error)) throw error;
        return assume(ask, await options.openWriter(tenantId, askedAt), request);
      }
    };
  return {
    assumeConnector: platformRole(options.connectorRoleArn),
    assumeProbePrincipal: platformRole(options.probeRoleArn),
    // No tags: the customer's trust policy allows sts:AssumeRole alone, not sts:TagSession.
    assumeCustomer: (session, { tenantId, roleArn, externalId }) =>
      assume(ask, session, {
        RoleArn: roleArn,
        RoleSessionName: sessionNameOf(tenantId),
        // Whatever the role may do, the probe may only look at it.
        Policy: describeOnly(roleArn),
        ...(externalId !== undefined && { ExternalId: externalId }),
      }),
    identityOf: async (session) => {
      const {
        Account = '',
        Arn = '',
        UserId = '',
      } = await ask.sts(session, (sts, within) => sts.send(new GetCallerIdentityCommand(), within));
      if (Account === undefined || Arn === undefined || UserId === undefined) throw new Error('STS answered without an identity');
      return { accountId: Account, arn: Arn, userId: UserId };
    },
    trustOf: async (session, roleName) => {
      const { Role } = await ask.iam(session, (iam, within) => iam.send(new GetRoleCommand({ RoleName: roleName }), within));
      // Percent-encoded by RFC 3986 (IAM API Reference, Role).
      return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '');
    },
    simulate: (session, roleArn, use) => simulate(ask, session, roleArn, use),
    newExternalId: options.newExternalId,
    randomText: () => randomBytes(20).toString('hex'),
    now: options.clock,
    platformAccountId: options.platformAccountId,
    connectorRoleArn: options.connectorRoleArn,
  };
}

interface Within {
  readonly abortSignal: AbortSignal;
}
type AskAs<Client> = <Answer>(session: SessionCredentials, call: (client: Client, within: Within) => Promise<Answer>) => Promise<Answer>;
interface Ask {
  readonly sts: AskAs<STSClient>;
  readonly iam: AskAs<IAMClient>;
}

/** A client per call: sessions of customers' roles are few, short and never kept. It asks once, and not for long. */
function createAsk(timeoutMs: number): Ask {
  const as =
    <Client extends { destroy(): void }>(make: (config: ClientConfig) => Client): AskAs<Client> =>
    async (session, call) => {
      const client = make({ credentials: clientCredentials(session), maxAttempts: 1 });
      try {
        return await call(client, { abortSignal: AbortSignal.timeout(timeoutMs) });
      } finally {
        client.destroy();
      }
    };
  return { sts: as((config) => new STSClient(config)), iam: as((config) => new IAMClient(config)) };
}

interface ClientConfig {
  readonly credentials: ClientCredentials;
  readonly maxAttempts: 1;
}

/** Source: IAM User Guide, "Session policies": the session may do what both the role and this allow. */
function describeOnly(roleArn: string): string {
  const statement = { Effect: 'Allow', Action: ['iam:GetRole', 'iam:SimulatePrincipalPolicy'], Resource: roleArn };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

/** STS wants two characters at least (STS API Reference, AssumeRole). */
function sessionNameOf(tenantId: TenantId): string {
  return tenantId.length < 2 ? `${tenantId}.` : tenantId;
}

async function assume(
  ask: Ask,
  from: SessionCredentials,
  request: { RoleArn: string; RoleSessionName: string; ExternalId?: string; Policy?: string; Tags?: { Key: string; Value: string }[] },
): Promise<SessionCredentials> {
  const { Credentials } = await ask.sts(from, (sts, within) =>
    sts.send(new AssumeRoleCommand({ ...request, DurationSeconds: sessionSeconds }), within),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined || Expiration === undefined)
    throw new Error('STS answered without credentials');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: new SecretText(SecretAccessKey),
    sessionToken: new SecretText(SessionToken),
    expiresAt: Expiration.getTime(),
  };
}

async function simulate(ask: Ask, session: SessionCredentials, roleArn: string, use: SimulatedUse): Promise<readonly AllowedUse[]> {
  const { actions, resources, region } = use;
  const asked = {
    PolicySourceArn: roleArn,
    ActionNames: [...actions],
    ResourceArns: [...resources],
    ...(region !== undefined && {
      ContextEntries: [{ ContextKeyName: 'aws:RequestedRegion', ContextKeyType: 'string' as const, ContextKeyValues: [region] }],
    }),
  };
  const allowed: AllowedUse[] = [];
  let marker: string | undefined;
  do {
    const next = { ...asked, ...(marker !== undefined && { Marker: marker }) };
    const page = await ask.iam(session, (iam, within) => iam.send(new SimulatePrincipalPolicyCommand(next), within));
    allowed.push(...(page.EvaluationResults ?? []).flatMap(allowedIn));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return allowed;
}

/** The answer for an action; with several resources the answer for each may stand inside it (IAM API Reference, EvaluationResult). */
function allowedIn({ EvalActionName, EvalResourceName, EvalDecision, ResourceSpecificResults }: EvaluationResult): readonly AllowedUse[] {
  const action = EvalActionName ?? '';
  if (ResourceSpecificResults === undefined || ResourceSpecificResults.length === 0)
    return EvalDecision === 'allowed' ? [{ action, resource: EvalResourceName ?? '*' }] : [];
  return ResourceSpecificResults.filter((one) => one.EvalResourceDecision === 'allowed').map((one) => ({
    action,
    resource: one.EvalResourceName ?? '*',
  }));
}
