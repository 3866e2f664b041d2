import type { Announcer as AnnouncerOf } from '../shared/announcer.ts';
import type { outboundEvents } from './events.ts';

export type Announcer = AnnouncerOf<typeof outboundEvents>;
