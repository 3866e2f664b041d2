import { CordonError } from '../shared/errors.ts';
import { askedOf } from './asked.ts';
import { answerError, type CarryOutDeps, carryOutUse } from './carry-out-use.ts';
import type { ClientStream } from './client-stream.ts';
import { type PrepareDeps, type PreparedUse, type Progress, prepareUse } from './prepare-use.ts';
import type { ProxyCall } from './proxy-event.ts';
import { type Begun, beginUse, recordOutcome } from './record-use.ts';
import type { TellNamed } from './tell-named.ts';
import type { ReportViolation } from './tenant-session.ts';
import { IsolationViolation } from './unavailable.ts';
import { createLastingStores } from './watch-use.ts';

export interface ProxyDeps extends PrepareDeps, CarryOutDeps {
  readonly report: ReportViolation;
  readonly tellNamed: TellNamed;
}

export interface CallContext {
  /** Of which tenant Lambda says that the environment is. */
  readonly environmentTenantId: string | undefined;
  /** Until the call has to be over, its outcome recorded. */
  readonly remainingMs: number;
}

/** Of the remaining time, in milliseconds: for the outcome. */
const forOutcomeMs = 5000;

/**
 * Makes one call to a provider with the tenant's credential: gate, intent, request, answer, outcome. Does not throw: a refusal is an answer.
 */
export async function proxyCall(deps: ProxyDeps, call: ProxyCall, context: CallContext, client: ClientStream): Promise<void> {
  const telling = deps.tellNamed(call);
  const progress: Progress = {};
  let use: PreparedUse;
  try {
    use = await prepareUse(deps, call, context.environmentTenantId, progress);
  } catch (error) {
    answerError(client, error, call.requestId);
    await afterRefusal(deps, call, progress, error);
    return telling;
  }
  const lasting = createLastingStores(use.stores, () => deps.openTenant(call, context.environmentTenantId), deps.clock);
  await carryOutUse(deps, call, use, lasting, client, Math.max(0, context.remainingMs - forOutcomeMs));
  // The environment may be frozen once this is over.
  await telling;
}

/** Every refusal of a call whose credential was chosen is attributed, as far as the record can be reached; what IAM refused is reported; all are in the log. */
async function afterRefusal(deps: ProxyDeps, call: ProxyCall, progress: Progress, error: unknown): Promise<void> {
  const log = deps.log.with({ requestId: call.requestId, tenantId: call.caller.tenantId, userId: call.caller.userId });
  const code = error instanceof CordonError ? error.code : 'INTERNAL';
  if (code === 'INTERNAL' || code === 'TENANT_MISMATCH' || code === 'ACCESS_REFUSED') log.error('a call was refused', error, { code });
  else log.warn('a call was refused', { code });
  try {
    const begun = await begunUse(deps, call, progress);
    if (begun !== undefined && progress.stores !== undefined) {
      await begun.recorded;
      await recordOutcome(deps, progress.stores.attribution, begun.intent, { result: 'refused', code });
    }
  } catch (failed) {
    log.error('a refusal could not be attributed', failed, { lost: true });
  }
  if (!(error instanceof IsolationViolation)) return;
  try {
    await deps.report(call.token, error.violation);
  } catch (failed) {
    log.error('an isolation violation could not be reported', failed, { lost: true });
  }
}

/** The use that was refused: begun already, or begun now for the record; undefined when no credential was chosen. */
async function begunUse(deps: ProxyDeps, call: ProxyCall, { stores, begun, use, question }: Progress): Promise<Begun | undefined> {
  if (begun !== undefined || stores === undefined) return begun;
  if (use !== undefined) return beginUse(deps, stores.attribution, use);
  if (question === undefined) return undefined;
  // Where a backup was asked for and refused too, what is refused is the credential that was chosen.
  const refused = question.backupFor ?? question.credentialId;
  const credential = (await deps.catalogue.current(stores.catalogue)).credentials.get(refused);
  return credential && beginUse(deps, stores.attribution, { call, asked: askedOf(call.headers), credential, credentialVersion: undefined });
}
