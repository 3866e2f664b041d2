import type { OutboundDetail, OutboundDetailType } from './events.ts';

/** Publishes what happened. Delivery is at least once: who listens goes by the identifiers in the detail. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED. */
export interface Announcer {
  announce<Type extends OutboundDetailType>(type: Type, detail: OutboundDetail<Type>): Promise<void>;
}
