import type { z } from 'zod';

/** A capability's outbound events: detail type to schema. */
export type OutboundEvents = Readonly<Record<string, z.ZodType>>;

/** Publishes what happened. Delivery is at least once: who listens goes by the identifiers in the detail. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED. */
export interface Announcer<Events extends OutboundEvents> {
  announce<Type extends keyof Events & string>(type: Type, detail: z.infer<Events[Type]>): Promise<void>;
}
