import type { TenantId, UserId } from '../shared/identifiers.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { ConnectionStatus } from './connections-answer.ts';

/** What is shown of a connection item. */
export interface KnownConnection {
  readonly customerAccountId: string;
  readonly status: ConnectionStatus;
  readonly statusReason?: { readonly code: string; readonly message: string; readonly nextStep: string } | undefined;
  readonly services: readonly ('bedrock' | 'dynamodb' | 's3' | 'sqs')[];
  readonly regions: readonly string[];
  readonly environment: string;
  readonly dataClasses?: readonly string[] | undefined;
  readonly roleName: string;
  readonly roleArn?: string | undefined;
  readonly externalId: string;
  /** Of the template that the link names; empty until it has been published. */
  readonly policyVersion: string;
  readonly findings: readonly { readonly code: string; readonly message: string }[];
  /** Milliseconds since the epoch. */
  readonly requestedUntil: number;
  readonly verifiedAt?: number | undefined;
  readonly probedAt?: number | undefined;
}

export type KnownCredential = Pick<CredentialItem, 'credentialId' | 'provider' | 'status' | 'environment' | 'userId' | 'createdAt'> &
  Partial<Pick<CredentialItem, 'secretVersionId' | 'previous' | 'rotating' | 'rotatedAt' | 'dueAt'>> & {
    readonly source: string;
    readonly connectionId?: string | undefined;
  };

/**
 * One tenant's data, read in that tenant's own session: IAM refuses any other's. Every operation throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED |
 * ITEM_NOT_UNDERSTOOD.
 */
export interface TenantView {
  connections(): Promise<readonly KnownConnection[]>;
  connection(customerAccountId: string): Promise<KnownConnection | undefined>;
  credentials(): Promise<readonly KnownCredential[]>;
  /** True when the agent or the session that asks was revoked. */
  isRevoked(by: { readonly agentId?: string | undefined; readonly sessionId?: string | undefined }): Promise<boolean>;
  /** When the credential was last used through the broker on that UTC day (`yyyy-mm-dd`): ISO 8601, undefined when it was not. */
  newestUse(credentialId: string, day: string): Promise<string | undefined>;
}

/** For whom a session was minted. */
export interface OpenedTenant {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly view: TenantView;
}

/**
 * Opens the data of the tenant that a token names.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE | AWS_UNAVAILABLE
 */
export type OpenTenant = (token: string) => Promise<OpenedTenant>;
