import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../../shared/consume-message.ts';
import { CordonError } from '../../shared/errors.ts';
import { type DetailParsers, parseMessage, parserOf } from '../../shared/inbound-message.ts';
import { type IsolationVerificationRequested, inboundEvents } from '../events.ts';
import { abandonVerification, runVerification, type VerifyDeps } from './run-verification.ts';

interface VerificationEvent {
  readonly type: 'IsolationVerificationRequested';
  readonly detail: IsolationVerificationRequested;
}

export interface ApplyDeps extends VerifyDeps, ConsumeDeps {
  /** Whose events count. */
  readonly platformAccountId: string;
}

const parsers: DetailParsers<VerificationEvent> = {
  IsolationVerificationRequested: parserOf('IsolationVerificationRequested', inboundEvents.IsolationVerificationRequested),
};

/** Applies one message of the queue; as `consumeMessage`. */
export function applyVerificationMessage(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const { announcer, platformAccountId: accountId } = deps;
  const consumer: Consumer<VerificationEvent, 'IsolationVerificationFailed'> = {
    parse: (body) => parseMessage(body, { accountId, parsers }),
    async apply({ detail, type }, delivery, log) {
      try {
        await runVerification({ ...deps, log }, detail, delivery);
      } catch (error) {
        if (!(error instanceof CordonError) || error.code !== 'VERIFICATION_TOO_SOON') throw error;
        // Nothing is wrong with it, so nobody is to look into the dead-letter queue; whoever asked is told.
        log.warn('a run was asked for too soon', { reason: error.message });
        await announcer.announce('IsolationVerificationFailed', {
          ...{ version: 1, tenantId: detail.tenantId, event: { id: delivery.eventId, detailType: type } },
          ...{ reason: { code: error.code, message: error.message }, left: [] },
        });
      }
    },
    async abandon({ detail }, delivery, _failure, log) {
      await abandonVerification({ ...deps, log }, detail, delivery);
      return [];
    },
    failureTypes: { IsolationVerificationRequested: 'IsolationVerificationFailed' },
    announceFailure: (type, detail) => announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}
