/** The page for customers: `GET /v1/byoc`. It takes its token from the address or a field, keeps it in memory only, and talks to the API it was served by. */
import type { ConnectionsAnswer, ListedConnection } from '../connections-answer.ts';
import { type Api, ApiError, type ConnectionRequest, createApi } from './api.ts';
import { setUpConnectForm } from './connect-form.ts';
import { connectionCards } from './connection-cards.ts';
import { credentialCards, setUpSupplyForm } from './credential-cards.ts';
import { byId, mark, redraw } from './elements.ts';
import { createLiveList, type LiveList } from './live-list.ts';
import { isDatabase, supplyKey } from './supply-key.ts';
import { type Asked, connectionWords } from './words.ts';

interface SignedIn {
  readonly api: Api;
  readonly list: LiveList;
  tenantId: string;
}

const problem = byId('problem', HTMLElement);
const news = byId('news', HTMLElement);
const triedAgain = 'The status could not be read just now; it is tried again.';
let signedIn: SignedIn | undefined;
/** What is drawn, as text: drawn anew only when it changed. */
const drawn = { connections: '', credentials: '' };
const states = new Map<string, string>();

const supplyForm = setUpSupplyForm(async (credential, text) => {
  await attempt(`Encrypting what you entered for ${credential.credentialId} …`, async ({ api, list, tenantId }) => {
    await supplyKey(api, { ...credential, tenantId, text }, pause);
    say(
      `${isDatabase(credential.provider) ? 'The connection string' : 'The key'} for ${credential.credentialId} was tried, works, and is stored.`,
    );
    await list.look();
  });
});
setUpConnectForm((request) => askConnection(request));
setUpSignIn();
start(takeTokenFromAddress());

/** The part behind `#` is never sent to a server. It leaves the address bar, and so the history, at once. */
function takeTokenFromAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined;
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return token;
}

function setUpSignIn(): void {
  const field = byId('token', HTMLInputElement);
  byId('sign-in-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const token = field.value.trim();
    const wrong = /^[A-Za-z0-9._~+/-]+=*$/.test(token) ? '' : 'Enter the access token as your platform shows it.';
    mark(field, 'token-error', wrong);
    if (wrong !== '') {
      field.focus();
      return;
    }
    field.value = '';
    start(token);
  });
  // The page is open already, and the platform sends a fresh token to it.
  window.addEventListener('hashchange', () => {
    const token = takeTokenFromAddress();
    if (token !== undefined) start(token);
  });
}

function start(token: string | undefined): void {
  signedIn?.list.stop();
  signedIn = undefined;
  // Nothing of one sign-in is left when another begins.
  byId('content', HTMLElement).hidden = true;
  supplyForm.clear();
  Object.assign(drawn, { connections: '', credentials: '' });
  states.clear();
  if (token === undefined) {
    byId('sign-in', HTMLElement).hidden = false;
    return;
  }
  const api = createApi(token);
  const list = createLiveList({
    load: api.list,
    show: (answer, asked) => showList(answer, asked),
    fail: (error, again) => {
      if (again) say(triedAgain);
      else {
        say('');
        complain(error);
      }
    },
    late: (accountId) => say(`The request for account ${accountId} takes longer than usual. Come back in a few minutes.`),
  });
  signedIn = { api, list, tenantId: '' };
  say('Loading …');
  void list.look();
}

function showList(answer: ConnectionsAnswer, asked: ReadonlyMap<string, Asked>): void {
  if (!signedIn) return;
  const first = signedIn.tenantId === '';
  signedIn.tenantId = answer.tenantId;
  const { mayChange, connections, credentials } = answer;
  const connectionsNow = JSON.stringify([mayChange, connections, [...asked]]);
  if (connectionsNow !== drawn.connections) {
    drawn.connections = connectionsNow;
    redraw(
      byId('connections', HTMLElement),
      connectionCards(connections, asked, mayChange, { again: askAgain, disconnect: confirmDisconnect }),
    );
    byId('no-connections', HTMLElement).hidden = connections.length + asked.size > 0;
  }
  const credentialsNow = JSON.stringify([credentials, connections.map(({ customerAccountId, status }) => [customerAccountId, status])]);
  if (credentialsNow !== drawn.credentials) {
    drawn.credentials = credentialsNow;
    redraw(byId('credentials', HTMLElement), credentialCards(credentials, connections));
    byId('no-credentials', HTMLElement).hidden = credentials.length > 0;
    supplyForm.show(credentials);
  }
  byId('connect-form', HTMLElement).hidden = !mayChange;
  byId('connect-not-allowed', HTMLElement).hidden = mayChange;
  byId('who', HTMLElement).textContent = `Organisation: ${answer.tenantId}`;
  byId('sign-in', HTMLElement).hidden = true;
  byId('content', HTMLElement).hidden = false;
  if (first) complain(undefined);
  if (first || news.textContent === triedAgain) say('');
  tellChanges(connections, asked, first);
}

/** Reads out which connections changed; not the state in which they are found at first. */
function tellChanges(connections: readonly ListedConnection[], asked: ReadonlyMap<string, Asked>, silent: boolean): void {
  for (const connection of connections) {
    const { customerAccountId: account } = connection;
    const { state, lines } = connectionWords(connection, asked.get(account));
    if (!silent && states.get(account) !== state && !asked.has(account))
      say(`AWS account ${account}: ${[state, lines[0]].filter(Boolean).join('. ')}`);
    states.set(account, state);
  }
}

function askConnection(request: ConnectionRequest): Promise<boolean> {
  return attempt('Sending the request …', async ({ api, list }) => {
    await api.connect(request);
    list.note(request.customerAccountId, 'connect');
    say(`The request for AWS account ${request.customerAccountId} was sent. The link shows under AWS accounts in a few seconds.`);
    byId('connections-title', HTMLElement).focus();
    await list.look();
  });
}

function askAgain({ customerAccountId, services, regions, environment, dataClasses }: ListedConnection): void {
  void askConnection({ customerAccountId, services, regions, environment, ...(dataClasses && { dataClasses }) });
}

function confirmDisconnect({ customerAccountId: account }: ListedConnection): void {
  const dialog = byId('confirm', HTMLDialogElement);
  byId('confirm-title', HTMLElement).textContent = `Disconnect ${account}?`;
  byId('confirm-text', HTMLElement).textContent =
    'Cordon stops using the role at once. Calls that need this account fail from then on; nothing else is used in its place. The role stays in your account until you delete its stack.';
  const yes = byId('confirm-yes', HTMLButtonElement);
  const no = byId('confirm-no', HTMLButtonElement);
  no.onclick = () => dialog.close();
  yes.onclick = () => {
    dialog.close();
    void attempt('Disconnecting …', async ({ api, list }) => {
      await api.disconnect(account);
      list.note(account, 'disconnect');
      byId('connections-title', HTMLElement).focus();
      await list.look();
    });
  };
  dialog.showModal();
  no.focus();
}

/** Resolves false when it could not be done; why is said then. */
async function attempt(doing: string, work: (session: SignedIn) => Promise<void>): Promise<boolean> {
  if (!signedIn) return false;
  complain(undefined);
  say(doing);
  try {
    await work(signedIn);
    return true;
  } catch (error) {
    say('');
    complain(error);
    return false;
  }
}

function complain(error: unknown): void {
  if (error === undefined) {
    problem.textContent = '';
    return;
  }
  if (error instanceof ApiError && error.code === 'TOKEN_REFUSED') {
    start(undefined);
    say('');
    problem.textContent =
      'You are not signed in any more, or the token was not accepted. Open this page from your platform again, or enter a fresh token.';
    byId('token', HTMLElement).focus();
    return;
  }
  // Anything else is a defect of the page: its words would help nobody.
  problem.textContent = error instanceof ApiError ? error.message : 'Something went wrong on this page. Load it again.';
}

function say(text: string): void {
  news.textContent = text;
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
