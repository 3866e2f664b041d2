/** What `GET /connections` answers. Types only: the page in the browser uses them too. */

export type ConnectionStatus = 'pending' | 'active' | 'rejected' | 'suspended' | 'expired' | 'disconnected';

export interface ListedConnection {
  readonly customerAccountId: string;
  readonly status: ConnectionStatus;
  /** Why it is not as it should be, and what the customer does about it. */
  readonly reason?: { readonly code: string; readonly message: string; readonly nextStep: string } | undefined;
  readonly services: readonly string[];
  readonly regions: readonly string[];
  readonly environment: string;
  readonly dataClasses?: readonly string[] | undefined;
  readonly roleName: string;
  /** Once the role was verified. */
  readonly roleArn?: string | undefined;
  /** Opens CloudFormation in the customer's own account. It holds the external ID: only callers who may connect see it, and only while the role is to be made or mended. */
  readonly quickCreateUrl?: string | undefined;
  /** The template behind the link, for reading. */
  readonly templateUrl?: string | undefined;
  /** What was noticed without being a reason to refuse the role. */
  readonly findings: readonly { readonly code: string; readonly message: string }[];
  /** ISO 8601: until then the role is looked for. */
  readonly requestedUntil: string;
  /** ISO 8601: when the role last passed every check. */
  readonly verifiedAt?: string | undefined;
  /** ISO 8601: when it was last looked at, whatever came of it. */
  readonly probedAt?: string | undefined;
  /** ISO 8601; none within the last 30 days when left out. */
  readonly lastUsedAt?: string | undefined;
}

export interface ListedVersion {
  readonly versionId: string;
  /** `pending`: made and not in force yet. `previous`: was in force before, and can be gone back to. `retiring`: on its way out. */
  readonly state: 'pending' | 'current' | 'previous' | 'retiring';
}

export interface ListedRotation {
  /** ISO 8601, as all here: when the key in force came into force. */
  readonly rotatedAt?: string;
  /** When the next rotation begins; not while one is under way. */
  readonly dueAt?: string;
  /** Of a rotation under way. */
  readonly phase?: 'creating' | 'proving' | 'grace' | 'retiring' | 'unproven';
  readonly reason?: 'schedule' | 'requested' | 'emergency';
  readonly since?: string;
}

export interface ListedCredential {
  readonly credentialId: string;
  readonly provider: string;
  readonly source: string;
  readonly status: string;
  readonly environment: string;
  /** Of a user's own credential: always the caller's. */
  readonly userId?: string | undefined;
  /** The AWS account whose role it stands for. */
  readonly connectionId?: string | undefined;
  /** ISO 8601; none within the last 30 days when left out. */
  readonly lastUsedAt?: string | undefined;
  /** What there is of its secret, newest first. */
  readonly versions: readonly ListedVersion[];
  readonly rotation?: ListedRotation | undefined;
}

export interface ConnectionsAnswer {
  readonly tenantId: string;
  /** True for callers who may connect and disconnect accounts. */
  readonly mayChange: boolean;
  readonly connections: readonly ListedConnection[];
  readonly credentials: readonly ListedCredential[];
}

/** What asking for a change answers: it is done a moment later, and the list shows when. */
export interface AskedAnswer {
  readonly customerAccountId: string;
  readonly status: 'requested' | 'disconnection-requested';
}
