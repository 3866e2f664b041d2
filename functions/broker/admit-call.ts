import { CordonError } from '../shared/errors.ts';
import { admitBackup, reasonForBackup } from './admit-backup.ts';
import type { AdmitInput, Admitted } from './admitted.ts';
import type { CredentialFacts } from './catalogue.ts';
import { chooseCredential } from './choose-credential.ts';
import { admit, type GateQuestion } from './gate.ts';
import type { Catalogue, TenantCatalogue } from './tenant-catalogue.ts';
import type { TenantStores } from './tenant-environment.ts';

/**
 * Chooses the credential and asks the gate. The choice is made by what is in memory and holds only if the gate, which is asked each time, knows no newer rules.
 * Where the gate says that it was revoked or is being replaced in an emergency, and the rule that led to it names a backup, the gate is asked for that one.
 *
 * @throws CordonError what choosing and the gate refuse with
 */
export async function admitCall(
  stores: Pick<TenantStores, 'gate' | 'catalogue'>,
  catalogue: TenantCatalogue,
  input: AdmitInput,
): Promise<Admitted> {
  const { caller, provider, asked } = input;
  const choose = (known: Catalogue): CredentialFacts => chooseCredential(known, provider, asked, caller.userId);
  const since = catalogue.readings();
  let known = await catalogue.current(stores.catalogue);
  let credential: CredentialFacts;
  try {
    credential = choose(known);
  } catch (error) {
    if (!(error instanceof CordonError) || (error.code !== 'NO_CREDENTIAL' && error.code !== 'AMBIGUOUS_CREDENTIAL')) throw error;
    // What is in memory does not decide that there is none: rules may have changed, a credential may have been added.
    known = await catalogue.anew(stores.catalogue);
    credential = choose(known);
  }
  for (let readNewRules = false; ; readNewRules = true) {
    const question: GateQuestion = {
      tenantId: caller.tenantId,
      userId: caller.userId,
      credentialId: credential.credentialId,
      agentId: caller.agentId,
      sessionId: caller.sessionId,
      connectionId: credential.connectionId,
    };
    const reading = await stores.gate.read(question);
    const learnt =
      reading.user && (await catalogue.forUser(stores.catalogue, { userId: caller.userId, version: reading.user.version }, since));
    if (learnt !== undefined) {
      known = learnt;
      const chosen = choose(known);
      if (!asksTheSame(chosen, credential)) {
        credential = chosen;
        continue;
      }
    }
    // Rules read after the first reading are at least as new as it; if they change again meanwhile, this call began before that.
    const hasNewRules = !readNewRules && reading.tenant !== undefined && reading.tenant.rulesVersion !== known.rulesVersion;
    if (hasNewRules) {
      known = await catalogue.withNewRules(stores.catalogue);
      const chosen = choose(known);
      const same = asksTheSame(chosen, credential);
      credential = chosen;
      if (!same) continue;
    }
    const because = reasonForBackup(reading);
    const backup = because && (await admitBackup(stores.gate, known, input, { credential, question, because }));
    return backup ?? { credential, epochs: admit(reading, credential), question };
  }
}

/** Whether what the gate answered for one holds for the other. */
function asksTheSame(a: CredentialFacts, b: CredentialFacts): boolean {
  return a.credentialId === b.credentialId && a.connectionId === b.connectionId;
}
