import { failureOf } from '../shared/consume-message.ts';
import { CordonError } from '../shared/errors.ts';
import type { SecretText } from '../shared/secret-text.ts';
import { versionIdOf } from '../tenants/provision-credential.ts';
import type { EndingSeen } from './decide-ending.ts';
import { type Issuer, issuerOf, isTwoSlot } from './end-keys.ts';
import { storedKey } from './end-secret.ts';
import type { EndedVersion } from './ending.ts';
import { type EndingDeps, type EndingOf, type EndingOutcome, onRecord } from './ending-deps.ts';

/** What the provider says of one key. A key that is throttled or lacks a scope is a live one. */
type Answer = 'refused' | 'not-listed' | NonNullable<EndingSeen['answer']>;

/** Asks the provider about every key that it is not shown to refuse. What was shown is kept when asking about another fails. */
export async function confirmRefused(deps: EndingDeps, of: EndingOf): Promise<EndingOutcome> {
  const versions: EndedVersion[] = [...of.ending.versions];
  let answer: EndingSeen['answer'];
  try {
    const issuer = await issuerOf(deps, of).catch(unlessRefused);
    for (const [index, version] of versions.entries()) {
      if (version.confirmedAt !== undefined) continue;
      const { said, proofId } = await askOnRecord(deps, of, issuer, version);
      if (said === 'refused' || said === 'not-listed')
        versions[index] = { ...version, confirmedAt: deps.clock(), confirmation: said, proofId };
      // One that is accepted is worth asking about again soon, whatever is unknown of another.
      else if (answer !== 'accepted') answer = said;
    }
    return { change: { versions }, answer };
  } catch (error) {
    return { change: { versions }, answer, failure: failureOf(error) };
  }
}

function askOnRecord(
  deps: EndingDeps,
  of: EndingOf,
  issuer: Issuer | undefined,
  version: EndedVersion,
): Promise<{ readonly said: Answer; readonly proofId: string }> {
  const { versionId, keyId } = version;
  const context = { versionId, ...(keyId !== undefined && { keyId }) };
  return onRecord(deps, of, 'revocation.confirm-refused', context, async (id) => {
    const said = await ask(deps, of, issuer, version);
    return { value: { said, proofId: id }, credentialVersion: versionId, context: { verdict: said } };
  });
}

async function ask(deps: EndingDeps, of: EndingOf, issuer: Issuer | undefined, version: EndedVersion): Promise<Answer> {
  const { item, ending } = of;
  const secret = await storedKey(deps, of, version.versionId);
  if (secret === 'unreadable') return 'unknown';
  if (secret !== undefined) {
    const said = await askWithKey(deps, of, issuer, secret);
    // A request for a key that was repeated on its way has made two of one name, and the vault holds one of them.
    const isAlone = ending.versions.filter(({ versionId }) => versionId === version.versionId).length === 1;
    if (said !== 'refused' || isAlone) return said;
  }
  // Of a key that the customer made there is no list that Cordon may see.
  if (issuer === undefined) return 'unknown';
  return (await byList(issuer, item, version).catch(unlessRefused)) ?? 'unknown';
}

async function askWithKey(deps: EndingDeps, { item }: EndingOf, issuer: Issuer | undefined, secret: SecretText): Promise<Answer> {
  try {
    if (issuer) return (await issuer.provider.confirmRevoked(secret, issuer.account)) ? 'refused' : 'accepted';
    const verdict = await deps.tryCustomerKey(item, secret);
    return verdict === 'valid' ? 'accepted' : verdict;
  } catch (error) {
    // It cannot be asked, e.g. because the settings do not say where; that does not pass by itself.
    if (error instanceof CordonError && !error.retryable && error.code !== 'ACCESS_REFUSED') return 'unknown';
    throw error;
  }
}

/** The key is not there to ask with: then the provider's own list of live keys is what there is to see. */
async function byList({ provider, account }: Issuer, item: EndingOf['item'], version: EndedVersion): Promise<Answer> {
  if (account === undefined) return 'not-listed';
  const listed = await provider.listKeys(account, item.tenantId, item.credentialId);
  // A slot is always listed; once it was renewed it holds another value, and one that was thrown away.
  if (isTwoSlot(provider)) return listed.length === 0 || version.revokedAt !== undefined ? 'not-listed' : 'unknown';
  const isListed = listed.some(({ keyId, name }) =>
    version.keyId === undefined ? versionIdOf(name) === version.versionId : keyId === version.keyId,
  );
  return isListed ? 'accepted' : 'not-listed';
}

/** A provider that nobody administers here, or that says no, can be asked with the key all the same. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof CordonError && error.code === 'PROVIDER_REFUSED') return undefined;
  throw error;
}
