import { encodeTime } from 'ulid';
import { type AttributionEntry, attributionEntry } from '../../../functions/attribution/attribution-entry.ts';

let made = 0;

/** A use that was begun `agoMs` before `now`: its intent, and its outcome unless it has none. */
export function attributedUse(
  now: number,
  agoMs: number,
  over: {
    credentialVersion?: string | undefined;
    operation?: string;
    credentialId?: string;
    tenantId?: string;
    context?: Record<string, string>;
  } = {},
  outcome: object | 'none' = { result: 'succeeded' },
): AttributionEntry[] {
  made += 1;
  const id = encodeTime(now - agoMs, 10) + String(made).padStart(16, '0');
  const common = { tenantId: 'acme', credentialId: 'main', credentialVersion: 'old', operation: 'provider.call', context: {}, ...over };
  const intent = { id, at: new Date(now - agoMs).toISOString(), actor: { function: 'broker' }, ...common };
  return [
    attributionEntry.parse({ ...intent, kind: 'INTENT' }),
    ...(outcome === 'none' ? [] : [attributionEntry.parse({ ...intent, kind: 'OUTCOME', outcome })]),
  ];
}
