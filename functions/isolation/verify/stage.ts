import type { TenantId } from '../../shared/identifiers.ts';
import type { SecretText } from '../../shared/secret-text.ts';
import type { CanaryName } from '../canaries.ts';
import type { Check } from '../check.ts';
import type { TryCall } from './attempt.ts';
import type { BrokerClient } from './broker-client.ts';
import type { OtherSecret } from './forbidden-secrets.ts';
import type { Places } from './places.ts';
import type { AttributedUse } from './result.ts';

/** A canary that is there: with a token of the identity provider, and the session that `sessions` has minted for it. */
export interface Canary {
  readonly name: CanaryName;
  readonly tenantId: TenantId;
  readonly credentialId: string;
  readonly token: SecretText;
  /** Calls AWS in its session. */
  readonly tryCall: TryCall;
  /** Its secret, as it sees it. */
  readonly secret: OtherSecret;
}

/** What the tests are played on. */
export interface Stage {
  readonly a: Canary;
  readonly b: Canary;
  /** Who asked, unless it is a canary itself. */
  readonly asked: TenantId | undefined;
  readonly places: Places;
  readonly broker: BrokerClient;
  /** Asks `sessions` for a session by this token: whether it gave one. */
  readonly mints: (token: SecretText) => Promise<'minted' | 'refused' | 'no-answer'>;
  readonly clock: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** What a test has come to. */
export interface Played {
  readonly checks: readonly Check[];
  /** What now stands in the canaries' attribution. */
  readonly uses: readonly AttributedUse[];
}

/** Looks every `everyMs` until there is something, `timeoutMs` at most; the last look's answer then. */
export async function awaited<Value>(
  { clock, pause }: Pick<Stage, 'clock' | 'pause'>,
  { timeoutMs, everyMs }: { readonly timeoutMs: number; readonly everyMs: number },
  look: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  const until = clock() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || clock() >= until) return found;
    await pause(everyMs);
  }
}
