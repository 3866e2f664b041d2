import { CordonError } from '../../shared/errors.ts';
import type { InjectedSecret } from '../egress-adapter.ts';
import type { EgressProvider } from '../provider-name.ts';

/** `Authorization: Bearer` with an API key or a minted token. */
export function bearerHeader(provider: EgressProvider, secret: InjectedSecret): Record<string, string> {
  if (secret.kind === 'api-key') return { authorization: `Bearer ${secret.apiKey.reveal()}` };
  if (secret.kind === 'bearer') return { authorization: `Bearer ${secret.token.reveal()}` };
  throw new CordonError('EGRESS_NOT_CONFIGURED', `${provider} takes no AWS session`);
}
