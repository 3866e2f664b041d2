import type { Clock } from '../../shared/clock.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import type { SessionCredentials } from '../../shared/tenant-sessions.ts';
import type { ServiceName } from '../service-name.ts';

/** The role a customer announced, and what it is to be used for. */
export interface ProbeInput {
  readonly tenantId: TenantId;
  /** 12 digits. */
  readonly customerAccountId: string;
  readonly roleName: string;
  readonly externalId: string;
  readonly services: readonly ServiceName[];
  readonly regions: readonly string[];
  /** The role's unique ID (`AROA…`) when it was verified before; a role made again under the same name has another one. */
  readonly expectedRoleId?: string | undefined;
}

/** One attempt to assume the role, in the order of the probe. */
export type ProbeStep =
  /** The right external ID from the connector. */
  | 'right'
  | 'identity'
  | 'missing'
  /** Unlike anything Cordon makes: only a condition that checks nothing lets it in. */
  | 'wrong'
  /** The right one but for its last character: a wildcard at the end lets it in. */
  | 'nearly-right'
  /** One of the form that every tenant's has: a wildcard over that form lets it in. */
  | 'other-tenant'
  /** The right one from another role of the platform. */
  | 'second-principal'
  | 'right-again';

/** `none`: AWS gave no answer that decides (throttled, timed out, failed). It is never read as a refusal. */
export type ProbeAnswer = 'allowed' | 'refused' | 'none';

export interface ProbeStepResult {
  readonly step: ProbeStep;
  readonly answer: ProbeAnswer;
  /** AWS's error code, when it gave one. */
  readonly code?: string;
}

export type ProbeReasonCode =
  // unreachable: the right external ID is refused
  | 'ROLE_NOT_REACHABLE'
  // no-answer
  | 'NO_ANSWER'
  | 'PROBE_UNAVAILABLE'
  // unsound
  | 'EXTERNAL_ID_NOT_REQUIRED'
  | 'EXTERNAL_ID_NOT_CHECKED'
  | 'ANY_TENANT_ACCEPTED'
  | 'ANY_PRINCIPAL_ACCEPTED'
  | 'WRONG_ACCOUNT'
  | 'ROLE_RECREATED'
  | 'ROLE_GONE'
  | 'PERMISSION_MISSING';

/** For the customer's engineer: `message` says what is wrong, `nextStep` what to do about it. Neither ever holds an external ID. */
export interface ProbeReason {
  readonly code: ProbeReasonCode;
  readonly message: string;
  readonly nextStep: string;
}

export type FindingCode = 'ADMINISTRATOR_WIDE' | 'PERMISSIONS_NOT_SHOWN' | 'TRUST_NOT_SHOWN' | 'TRUST_TO_IMPROVE';

/** What a sound role could do better. It holds nothing up. */
export interface ProbeFinding {
  readonly code: FindingCode;
  readonly message: string;
}

/** `unreachable`: never worked yet. `no-answer`: nothing was learned, ask again. `unsound`: it works, and is not to be trusted. */
export type ProbeVerdict = 'unreachable' | 'no-answer' | 'sound' | 'unsound';

export interface ProbeResult {
  readonly verdict: ProbeVerdict;
  /** There unless the verdict is `sound`. */
  readonly reason?: ProbeReason;
  /** Both known as soon as the role answered who it is. */
  readonly roleArn?: string;
  readonly roleId?: string;
  readonly findings: readonly ProbeFinding[];
  readonly steps: readonly ProbeStepResult[];
  /** Milliseconds since the epoch: when the probe ended. */
  readonly at: number;
}

/** Who a session is, as STS says it. */
export interface CallerIdentity {
  readonly accountId: string;
  /** `arn:aws:sts::{account}:assumed-role/{role}/{session}` */
  readonly arn: string;
  /** `{role ID}:{session name}` */
  readonly userId: string;
}

/** What to ask the policy simulator: each action on each resource. `region` is the one the request would be made in. */
export interface SimulatedUse {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly region?: string | undefined;
}

/** An action that the simulator allows on a resource. */
export interface AllowedUse {
  readonly action: string;
  readonly resource: string;
}

/**
 * What the probe needs of AWS. Every call rejects with an Error whose `name` is AWS's error code; only `AccessDenied` is read as a refusal.
 * No call may retry: that a call was throttled is an answer of its own. `probe-aws.ts` does it with the SDK.
 */
export interface ProbeDeps {
  /** A ByocConnector session tagged with the tenant: the one principal that a customer's role is to admit. */
  readonly assumeConnector: (tenantId: TenantId) => Promise<SessionCredentials>;
  /** A session of another role of the platform with the same permission: a customer's role is to refuse it. */
  readonly assumeProbePrincipal: (tenantId: TenantId) => Promise<SessionCredentials>;
  readonly assumeCustomer: (
    session: SessionCredentials,
    request: { readonly tenantId: TenantId; readonly roleArn: string; readonly externalId?: string | undefined },
  ) => Promise<SessionCredentials>;
  readonly identityOf: (session: SessionCredentials) => Promise<CallerIdentity>;
  /** The role's trust policy as JSON text, read by the role itself. */
  readonly trustOf: (session: SessionCredentials, roleName: string) => Promise<string>;
  readonly simulate: (session: SessionCredentials, roleArn: string, use: SimulatedUse) => Promise<readonly AllowedUse[]>;
  /** A fresh external ID as every tenant gets one, for a tenant that does not exist: it must open nothing. */
  readonly newExternalId: () => string;
  /** Text that cannot be guessed, for an ID unlike Cordon's. */
  readonly randomText: () => string;
  readonly now: Clock;
  /** The account and role that a customer's trust policy must name. */
  readonly platformAccountId: string;
  readonly connectorRoleArn: string;
}
