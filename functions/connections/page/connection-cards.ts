/** The connected AWS accounts as cards. */
import type { ListedConnection } from '../connections-answer.ts';
import { button, element, facts, link } from './elements.ts';
import { type Asked, againLabel, connectionWords, lastUsedText, serviceTexts, timeText } from './words.ts';

export interface ConnectionActions {
  /** Asks for the same connection once more. */
  readonly again: (connection: ListedConnection) => void;
  readonly disconnect: (connection: ListedConnection) => void;
}

export function connectionCards(
  connections: readonly ListedConnection[],
  asked: ReadonlyMap<string, Asked>,
  mayChange: boolean,
  actions: ConnectionActions,
): HTMLElement[] {
  const known = new Set(connections.map(({ customerAccountId }) => customerAccountId));
  const announced = [...asked.keys()].filter((accountId) => !known.has(accountId));
  return [
    ...connections.map((connection) => card(connection, asked.get(connection.customerAccountId), mayChange, actions)),
    ...announced.map(announcedCard),
  ];
}

function card(connection: ListedConnection, asked: Asked | undefined, mayChange: boolean, actions: ConnectionActions): HTMLElement {
  const { customerAccountId: account, status, findings, services, regions } = connection;
  const { tone, state, lines } = connectionWords(connection, asked);
  const controls = mayChange && asked === undefined ? controlsOf(connection, actions) : [];
  return element(
    'li',
    {},
    element('h3', {}, `AWS account ${account}`),
    element('p', { class: `state ${tone}` }, state),
    ...lines.map((line) => element('p', {}, line)),
    ...findings.map(({ message }) => element('p', { class: 'waiting-note' }, `To note: ${message}`)),
    facts({
      Services: services.map((service) => serviceTexts[service]?.name ?? service).join(', '),
      Regions: regions.join(', '),
      Environment: connection.environment,
      'Data classes': connection.dataClasses?.join(', '),
      'Role name': connection.roleName,
      Role: connection.roleArn,
      'Last verified': connection.verifiedAt === undefined ? 'not yet' : timeText(connection.verifiedAt),
      'Last checked': connection.probedAt === undefined ? undefined : timeText(connection.probedAt),
      'Last used': status === 'pending' ? undefined : lastUsedText(connection.lastUsedAt),
    }),
    controls.length > 0 ? element('div', { class: 'actions' }, ...controls) : undefined,
  );
}

function controlsOf(connection: ListedConnection, actions: ConnectionActions): HTMLElement[] {
  const { customerAccountId: account, status, quickCreateUrl, templateUrl } = connection;
  const again = againLabel(status);
  return [
    ...(quickCreateUrl === undefined || status === 'expired'
      ? []
      : [link('Create the role in AWS (opens in a new tab)', quickCreateUrl, `create-${account}`, 'button')]),
    ...(templateUrl === undefined ? [] : [link('Read the template (opens in a new tab)', templateUrl, `template-${account}`)]),
    ...(again === undefined ? [] : [button(`${again}: ${account}`, `again-${account}`, () => actions.again(connection), 'quiet')]),
    ...(status === 'disconnected'
      ? []
      : [button(`Disconnect ${account}`, `disconnect-${account}`, () => actions.disconnect(connection), 'quiet')]),
  ];
}

/** Asked for a moment ago, and not on record yet. */
function announcedCard(account: string): HTMLElement {
  return element(
    'li',
    {},
    element('h3', {}, `AWS account ${account}`),
    element('p', { class: 'state waiting' }, 'Request sent'),
    element('p', {}, 'The link to create the role shows here in a few seconds.'),
  );
}
