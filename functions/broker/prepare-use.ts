import type { IntentEntry } from '../attribution/attribution-entry.ts';
import type { EgressAdapter, EgressTarget } from '../providers/egress-adapter.ts';
import type { EgressGuard } from '../providers/egress-guard.ts';
import { upstreamHeaders } from '../providers/egress-headers.ts';
import { CordonError } from '../shared/errors.ts';
import { admitCall } from './admit-call.ts';
import type { Admitted } from './admitted.ts';
import { askedOf } from './asked.ts';
import { demandOwner } from './demand-owner.ts';
import type { GateQuestion } from './gate.ts';
import type { ReadySecret } from './obtain-secret.ts';
import type { ProxyCall } from './proxy-event.ts';
import { type Begun, beginUse, type RecordDeps, recordOutcome, type Use } from './record-use.ts';
import type { SecretCache } from './secret-cache.ts';
import type { TenantCatalogue } from './tenant-catalogue.ts';
import type { OpenTenant, TenantStores } from './tenant-environment.ts';

export interface PrepareDeps extends RecordDeps {
  readonly openTenant: OpenTenant;
  readonly catalogue: TenantCatalogue;
  readonly secrets: SecretCache<ReadySecret>;
  /** What the last use of each credential was of: what the next one is, almost always. */
  readonly recent: Map<string, LastUse>;
  readonly adapterOf: (provider: string) => EgressAdapter | undefined;
  /** Stands in for a provider's host; empty in a deployed function. */
  readonly baseUrls: Readonly<Record<string, string>>;
  readonly guard: Pick<EgressGuard, 'check'>;
  /** Milliseconds, monotonic. */
  readonly elapsed: () => number;
}

export type LastUse = Pick<Use, 'credential' | 'credentialVersion'>;

/** How far a preparation came: what a refusal is recorded with. */
export interface Progress {
  stores?: TenantStores;
  /** The last thing that the gate was asked. */
  question?: GateQuestion;
  use?: Use;
  begun?: Begun;
}

/** A use that is on record and may now be carried out, once. */
export interface PreparedUse {
  readonly stores: TenantStores;
  readonly admitted: Admitted;
  readonly adapter: EgressAdapter;
  readonly secret: ReadySecret;
  readonly intent: IntentEntry;
  readonly url: URL;
  /** With the credential in them. */
  readonly headers: Readonly<Record<string, string>>;
}

const maxAttempts = 3;

/**
 * Everything that has to be settled before a byte leaves: who calls, with which credential, whether they may, where it goes, and that it is recorded.
 *
 * Where the last use tells which credential this one will be of, the intent is recorded while the gate is asked: a round trip less for each call, and a call that
 * the gate refuses is on record as well. An intent that turns out to be of something else is closed as refused, and the right one is recorded before anything leaves.
 *
 * @param environmentTenantId of which tenant Lambda says that the environment is
 * @throws CordonError, each a refusal of the call: see `broker-error.ts`
 */
export async function prepareUse(
  deps: PrepareDeps,
  call: ProxyCall,
  environmentTenantId: string | undefined,
  progress: Progress,
): Promise<PreparedUse> {
  // API Gateway may hold an authorizer's answer for longer than the token lives.
  if (call.caller.expiresAt <= deps.clock()) throw new CordonError('TOKEN_EXPIRED', 'The token has expired: get a new one.');
  const adapter = deps.adapterOf(call.provider);
  if (adapter === undefined) throw new CordonError('PROVIDER_UNKNOWN', 'There is no such provider.');
  const asked = askedOf(call.headers);
  const stores = await deps.openTenant(call, environmentTenantId);
  progress.stores = stores;
  const gate = {
    read(question: GateQuestion) {
      progress.question = question;
      const last = deps.recent.get(question.credentialId);
      if (last !== undefined)
        progress.begun ??= beginUse(deps, stores.attribution, { call, asked, ...last, backupFor: question.backupFor });
      return stores.gate.read(question);
    },
  };

  let admitted: Admitted;
  let secret: ReadySecret;
  let target: EgressTarget | undefined;
  for (let attempt = 1; ; attempt += 1) {
    admitted = await admitCall({ gate, catalogue: stores.catalogue }, deps.catalogue, {
      caller: call.caller,
      provider: call.provider,
      asked,
    });
    const { credential, epochs, question } = admitted;
    progress.use = { call, asked, credential, credentialVersion: epochs.secretVersionId, backupFor: question.backupFor };
    demandOwner(credential, call.caller);
    deps.secrets.observe(credential.credentialId, epochs);
    target = adapter.target(call, credential.settings, deps.baseUrls[call.provider]);
    if (target === undefined) {
      throw new CordonError('PATH_NOT_ALLOWED', `This path of ${call.provider} is not open through the broker; see the documented paths.`);
    }
    secret = await stores.obtain(credential, epochs, target.scope);
    if (!deps.secrets.isOutdated(credential.credentialId, epochs)) break;
    // Another call was shown a later state while this one was reading: the gate is asked anew.
    if (attempt === maxAttempts)
      throw new CordonError('GATE_UNAVAILABLE', 'The credential is being changed. Try again.', { retryable: true });
  }
  const { credential, question } = admitted;
  const { backupFor } = question;
  const { settings } = credential;

  deps.guard.check(target.url, adapter.hosts(settings));
  const passed = upstreamHeaders(adapter, call.headers);
  const outgoing = { method: call.method, url: target.url, headers: passed, body: call.body, scope: target.scope };
  const headers = { ...passed, ...adapter.authHeaders(secret.injected, outgoing, settings) };

  const last = { credential, credentialVersion: admitted.epochs.secretVersionId };
  const early = progress.begun;
  const begun =
    early !== undefined && early.use.backupFor === backupFor && isOf(early.use, last)
      ? early
      : beginUse(deps, stores.attribution, { call, asked, ...last, backupFor });
  progress.begun = begun;
  if (early !== undefined && early !== begun) {
    await early.recorded;
    const code = (early.intent.credentialId === backupFor && admitted.insteadBecause) || 'CREDENTIAL_CHANGED';
    await recordOutcome(deps, stores.attribution, early.intent, { result: 'refused', code });
  }
  await begun.recorded;
  deps.recent.set(credential.credentialId, last);
  // As long as the backup is used, no further intent is recorded early for what it stands in for.
  if (backupFor !== undefined) deps.recent.delete(backupFor);
  return { stores, admitted, adapter, secret, intent: begun.intent, url: target.url, headers };
}

/** Whether an intent that was recorded for one says what there is to say of the other. */
function isOf(use: LastUse, { credential, credentialVersion }: LastUse): boolean {
  return (
    use.credential.credentialId === credential.credentialId &&
    use.credential.environment === credential.environment &&
    use.credentialVersion === credentialVersion
  );
}
