import type { CertificateStore } from '../revocation/certificate/certificate-store.ts';
import type { RevocationStore } from '../revocation/revocation-store.ts';
import type { OpenedForToken } from '../sessions/admit-caller.ts';
import type { Registry } from '../tenants/registry.ts';

/** One tenant's revocations, read in that tenant's own session: IAM refuses any other's. All throw as the stores they are of. */
export interface TenantView extends Readonly<OpenedForToken['view']> {
  readonly revocations: Pick<RevocationStore, 'revocation' | 'revocations'>;
  readonly registry: Pick<Registry, 'credentials'>;
  readonly certificates: Pick<CertificateStore, 'certificate' | 'parts'>;
}

/** For whom a session was minted. */
export interface OpenedTenant extends OpenedForToken {
  readonly view: TenantView;
}

/**
 * Opens the data of the tenant that a token names.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE | AWS_UNAVAILABLE
 */
export type OpenTenant = (token: string) => Promise<OpenedTenant>;
