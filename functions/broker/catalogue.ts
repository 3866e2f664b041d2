import type { CredentialSettings } from '../providers/egress-adapter.ts';
import type { CredentialId, UserId } from '../shared/identifiers.ts';

/** What a credential is for and whose it is: what the choice goes by. Its status is not part of it: that is asked at each use. */
export interface CredentialFacts {
  readonly credentialId: CredentialId;
  readonly provider: string;
  readonly source: 'platform-issued' | 'customer-supplied' | 'federated' | 'customer-role';
  /** Of a customer's role: the connection it stands for, by the customer's AWS account ID. */
  readonly connectionId?: string | undefined;
  readonly userId: UserId | undefined;
  /** Set where the item names another tenant than the one among whose items it lies: whose it says it is. */
  readonly strayFrom?: string;
  readonly environment: string;
  readonly useCase: string | undefined;
  readonly team: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly dataClasses: readonly string[];
  readonly settings: CredentialSettings;
}

/** What a call must be like; a member that is undefined fits any call. */
export interface Match {
  readonly provider: string;
  readonly environment: string;
  readonly useCase: string | undefined;
  readonly team: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Rule {
  readonly match: Match;
  readonly use: CredentialId;
  /** Takes over when `use` is revoked, or has traffic led away from it in an emergency. */
  readonly backup?: CredentialId | undefined;
}

export interface Rules {
  readonly rulesVersion: number;
  readonly rules: readonly Rule[];
}

/** One tenant's rules and credentials, as far as its session may read them. All throw CordonError GATE_UNAVAILABLE | ACCESS_REFUSED | TENANT_NOT_ACTIVE. */
export interface CatalogueStore {
  rules(): Promise<Rules>;
  credentials(): Promise<readonly CredentialFacts[]>;
}
