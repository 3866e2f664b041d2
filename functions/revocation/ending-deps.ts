import { attributed, type Intent, type WorkResult } from '../attribution/attributed.ts';
import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { RevocationVault } from '../credentials/revocation-vault.ts';
import type { VaultOwner } from '../credentials/vault.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderName } from '../providers/provider-name.ts';
import type { RotationDeps } from '../rotation/rotation-deps.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { CredentialItem, Registry, TenantItem } from '../tenants/registry.ts';
import type { EndingSeen, EndingWork } from './decide-ending.ts';
import type { Ending } from './ending.ts';
import type { outboundEvents } from './events.ts';

/** A tenant's data, opened in a TenantRevoker session of that tenant. */
export interface EndingStores {
  readonly registry: Pick<Registry, 'credential' | 'changeCredential'>;
  readonly attribution: Pick<AttributionStore, 'record'>;
}

/** What ending a credential works with. Opening throws CordonError as minting a session does. */
export interface EndingDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly announcer: Announcer<typeof outboundEvents>;
  /** Those that Cordon makes keys at. */
  readonly providers: Partial<Record<ProviderName, Provider>>;
  readonly tryCustomerKey: RotationDeps['tryCustomerKey'];
  /** Waits so many milliseconds. */
  pause(ms: number): Promise<void>;
  openVault(owner: VaultOwner): Promise<RevocationVault>;
}

/** A credential that is being ended, and what is known of its surroundings. Nobody holds it: every step may be done by two at once. */
export interface EndingOf {
  readonly stores: EndingStores;
  readonly tenant: TenantItem;
  readonly item: CredentialItem;
  readonly ending: Ending;
}

/** What a step has come to. */
export interface EndingOutcome {
  /** To be written before anything else is done. */
  readonly change?: Partial<Ending>;
  /** What kept it from being done in full. */
  readonly failure?: CordonError;
  readonly answer?: EndingSeen['answer'];
  /** Steps that are to be done once more for what was found. */
  readonly again?: readonly EndingWork[];
}

/** Does one thing outside, between an intent and an outcome on record: which revocation it is for, and why, are in both. Throws CordonError as `attributed`. */
export function onRecord<Value>(
  deps: Pick<EndingDeps, 'clock' | 'nextId'>,
  { stores, item, ending }: EndingOf,
  operation: string,
  context: Readonly<Record<string, string>>,
  work: (id: string) => Promise<WorkResult<Value>>,
): Promise<Value> {
  const { tenantId, credentialId, provider, userId } = item;
  const { revocationId, requestedBy, reason, incidentId } = ending;
  const intent: Intent = {
    ...{ tenantId, credentialId, provider, operation },
    actor: { function: 'revocation', requestedBy, ...(userId !== undefined && { userId }) },
    context: { revocationId, reason, ...(incidentId !== undefined && { incidentId }), ...context },
  };
  return attributed({ ...deps, store: stores.attribution }, intent, work);
}
