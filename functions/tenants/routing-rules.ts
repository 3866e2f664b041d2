import { CordonError } from '../shared/errors.ts';
import type { RoutingRule, StoredCredential } from './credential-spec.ts';

/** Why these rules cannot be; undefined when they can. */
export function problemOf(rules: readonly RoutingRule[], credentials: readonly StoredCredential[]): CordonError | undefined {
  const byId = new Map<string, StoredCredential>(credentials.map((credential) => [credential.credentialId, credential]));
  for (const [index, { match, use, backup }] of rules.entries()) {
    for (const id of backup === undefined ? [use] : [use, backup]) {
      const credential = byId.get(id);
      // Its own event may be on its way.
      if (!credential)
        return new CordonError('CREDENTIAL_UNKNOWN', `rule ${index} names credential ${id}, which the tenant does not have`, {
          retryable: true,
        });
      if (credential.environment !== match.environment) {
        return new CordonError(
          'EVENT_INVALID',
          `rule ${index} would send ${match.environment} to credential ${id} of ${credential.environment}`,
        );
      }
      if (credential.provider !== match.provider)
        return new CordonError(
          'EVENT_INVALID',
          `rule ${index} would send ${match.provider} to credential ${id} for ${credential.provider}`,
        );
      if (credential.userId !== undefined)
        return new CordonError('EVENT_INVALID', `rule ${index} would send the whole tenant to credential ${id} of one user`);
    }
  }
  return undefined;
}
