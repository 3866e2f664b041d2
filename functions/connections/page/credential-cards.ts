/** The tenant's credentials as cards, and the form that takes a key for one of them. */
import type { ListedConnection, ListedCredential } from '../connections-answer.ts';
import { byId, element, facts, mark, redraw } from './elements.ts';
import { isDatabase, keyProblem } from './supply-key.ts';
import { credentialWords, lastUsedText, sourceText } from './words.ts';

export function credentialCards(credentials: readonly ListedCredential[], connections: readonly ListedConnection[]): HTMLElement[] {
  const conditions = new Map(connections.map(({ customerAccountId, status }) => [customerAccountId, status]));
  return credentials.map((credential) => {
    const { tone, state } = credentialWords(credential, conditions.get(credential.connectionId ?? ''));
    return element(
      'li',
      {},
      element('h3', {}, credential.credentialId),
      element('p', { class: `state ${tone}` }, state),
      facts({
        Provider: credential.provider,
        Source: sourceText(credential.source),
        Environment: credential.environment,
        Owner: credential.userId === undefined ? undefined : 'you alone',
        'AWS account': credential.connectionId,
        'Last used': lastUsedText(credential.lastUsedAt),
      }),
    );
  });
}

/** Sources say whether a key may be entered; whether this caller may is the door's to decide. */
function takesKey({ source, status }: ListedCredential): boolean {
  return source === 'customer-supplied' && (status === 'awaiting' || status === 'active');
}

export interface SupplyForm {
  show(credentials: readonly ListedCredential[]): void;
  /** Empties the field. */
  clear(): void;
}

/** @param submit resolves when the key was taken or refused; it gets the only copy of what was entered */
export function setUpSupplyForm(submit: (credential: ListedCredential, text: string) => Promise<void>): SupplyForm {
  const form = byId('supply-form', HTMLFormElement);
  const choice = byId('credential', HTMLSelectElement);
  const secret = byId('secret', HTMLInputElement);
  const label = byId('secret-label', HTMLLabelElement);
  let offered: readonly ListedCredential[] = [];

  const chosen = (): ListedCredential | undefined => offered.find(({ credentialId }) => credentialId === choice.value);
  const name = (): void => {
    const database = isDatabase(chosen()?.provider ?? '');
    label.textContent = database ? 'Connection string' : 'API key';
    byId('secret-hint', HTMLElement).textContent =
      `It is encrypted in this browser before it is sent. ${database ? 'Cordon connects with it once' : 'The provider is asked whether it knows the key'}; only then it is stored.`;
  };
  const clear = (): void => {
    secret.value = '';
    mark(secret, 'secret-error', '');
  };
  choice.addEventListener('change', () => {
    // What was typed for one credential is not sent for another.
    clear();
    name();
  });
  window.addEventListener('pagehide', clear);

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const credential = chosen();
    const text = secret.value.trim();
    const problem = credential ? keyProblem(credential.provider, text) : 'Choose a credential.';
    mark(secret, 'secret-error', problem);
    if (!credential || problem !== '') {
      secret.focus();
      return;
    }
    clear();
    const send = form.querySelector('button');
    if (send) send.disabled = true;
    void submit(credential, text).finally(() => {
      if (send) send.disabled = false;
    });
  });

  return {
    clear,
    show(credentials) {
      offered = credentials.filter(takesKey);
      const before = choice.value;
      const options = offered.map(({ credentialId, provider, status }) => {
        const text = `${credentialId} (${provider}${status === 'awaiting' ? ', waiting for its key' : ', has a key: the new one replaces it'})`;
        return element('option', { value: credentialId }, text);
      });
      redraw(choice, options);
      if (offered.some(({ credentialId }) => credentialId === before)) choice.value = before;
      else if (before !== '') clear();
      form.hidden = offered.length === 0;
      byId('no-supply', HTMLElement).hidden = offered.length > 0;
      name();
    },
  };
}
