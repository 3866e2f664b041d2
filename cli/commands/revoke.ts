import { Command } from 'commander';
import { z } from 'zod';
import { revocationRequested, type Scope } from '../../functions/revocation/events.ts';
import { credentialId, tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import type { CredentialId, UserId } from '../../functions/shared/identifiers.ts';
import { asked, confirmByTyping, confirmed, send, waiting, withAsked, withConfirmation, withWaiting } from '../asking.ts';
import { demandKnown, inAdvance, withInAdvance } from '../demand-known.ts';
import { followRevocation } from '../follow-revocation.ts';
import type { Answer, Context, Handle } from '../runner.ts';

/** Longer than the quarter of an hour after which what a provider does not confirm is listed as such. */
export const revocationSeconds = 1200;

const shared = { tenant: tenantId, ...asked.shape, ...waiting.shape, ...confirmed.shape, ...inAdvance.shape };
type Named = {
  readonly scope: Scope;
  readonly userId?: UserId;
  readonly agentId?: string;
  readonly sessionId?: string;
  readonly credentialId?: CredentialId;
  readonly versionId?: string;
};
const claim = z.string().min(1).max(128);
const inputs = {
  tenant: z.object(shared),
  user: z.object({ ...shared, user: userId }),
  agent: z.object({ ...shared, agent: claim }),
  session: z.object({ ...shared, session: claim }),
  credential: z.object({ ...shared, credential: credentialId }),
  version: z.object({ ...shared, credential: credentialId, version: z.string() }),
};
type Shared = z.infer<(typeof inputs)['tenant']>;

export function revokeCommand(handle: Handle): Command {
  const command = new Command('revoke').description('end the use of something from now on, here and at its provider');
  const add = (scope: Scope, args: string, description: string): Command =>
    withWaiting(withInAdvance(withAsked(command.command(`${scope} ${args}`).description(description))), revocationSeconds);
  withConfirmation(add('tenant', '<tenant>', 'suspend a tenant and end all its credentials')).action(
    handle(inputs.tenant, async (context, input) => {
      await confirmByTyping(context, `Ending every credential of ${input.tenant}`, input.tenant, input);
      return revoke(context, input, { scope: 'tenant' });
    }),
  );
  add('user', '<tenant> <user>', 'suspend a user and end all credentials that are the user’s own').action(
    handle(inputs.user, (context, input) => revoke(context, input, { scope: 'user', userId: input.user })),
  );
  add('agent', '<tenant> <agent>', 'refuse every token that names this agent').action(
    handle(inputs.agent, (context, input) => revoke(context, input, { scope: 'agent', agentId: input.agent })),
  );
  add('session', '<tenant> <session>', 'refuse every token that names this agent session').action(
    handle(inputs.session, (context, input) => revoke(context, input, { scope: 'session', sessionId: input.session })),
  );
  add('credential', '<tenant> <credential>', 'end a credential with all its versions').action(
    handle(inputs.credential, (context, input) => revokeCredential(context, input)),
  );
  add('version', '<tenant> <credential> <version>', 'end one key; when it is the one in force, the next one is made at once').action(
    handle(inputs.version, (context, input) => revokeCredential(context, input)),
  );
  return command;
}

/** The credential, or the one version of it that is named. */
export function revokeCredential(
  context: Context,
  input: Shared & { readonly credential: CredentialId; readonly version?: string | undefined },
): Promise<Answer> {
  const { credential, version } = input;
  if (version === undefined) return revoke(context, input, { scope: 'credential', credentialId: credential });
  return revoke(context, input, { scope: 'version', credentialId: credential, versionId: version });
}

async function revoke(context: Context, input: Shared, subject: Named): Promise<Answer> {
  const { tenant, reason, incident, requestedBy, wait, timeout } = input;
  const cloud = await context.cloud();
  const { userId: user, credentialId: credential, versionId: version } = subject;
  await demandKnown(cloud, { tenant, user, credential, version }, input);
  const detail = { tenantId: tenant, reason, incidentId: incident, ...subject };
  const sent = await send(cloud, { type: 'RevocationRequested', schema: revocationRequested, detail }, requestedBy);
  return followRevocation(context, cloud, { tenantId: tenant, sent, wait, timeout });
}
